//! How far a list is read, what to ask for next, and which rows of an answer are new.
//!
//! The server counts rows from the start of the list, so each row that is added or removed before the place reached
//! moves all rows behind it. A window therefore begins at the last row that was read, or before it: if that is still
//! there, nothing has moved.

use serde::Serialize;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

/// The most rows that the server sends at once.
const MOST: u64 = 50;
/// The smallest limit that is used. With a smaller one there are places in a list that no window overlaps, because each
/// number up to the limit divides them.
const FEWEST: u64 = 20;
/// The limit that the server uses if none is set.
const DEFAULT_LIMIT: u64 = 10;
/// How often a window that is too short is asked for before that is an error.
const SHORT: u32 = 3;

pub(super) struct Position {
    /// Where the reading began.
    from: u64,
    /// The most to ask for at once.
    most: u64,
    /// The place that the reading has reached.
    end: u64,
    /// The hash of the last row that was read; `None` at the start.
    last: Option<u64>,
    /// How many rows before `end` the next window has to include.
    overlap: u64,
    /// The hashes of all rows that have come.
    seen: HashSet<u64>,
    hashes: RandomState,
    given: u64,
    windows: u64,
    /// The largest number of rows that the server has reported.
    total: u64,
    short: u32,
    /// Whether rows have moved.
    moved: bool,
    /// Whether the list is being read once more, for rows that are missing.
    again: bool,
    over: bool,
}

/// The rows to ask for: `limit` of them, from `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    start: u64,
    limit: u64,
}

impl Window {
    pub(super) fn page(self) -> u64 {
        self.start / self.limit + 1
    }

    pub(super) fn limit(self) -> u64 {
        self.limit
    }
}

pub(super) enum Next {
    /// The rows cannot be placed; another window has to be asked for.
    Again,
    /// Which of the rows are new.
    New(Vec<bool>),
}

impl Position {
    pub(super) fn new(page: Option<i64>, limit: Option<i64>) -> Result<Self, String> {
        let number = |name: &str, set: Option<i64>, default| match set.map(u64::try_from) {
            None => Ok(default),
            Some(Ok(number)) if number > 0 => Ok(number),
            _ => Err(format!("`{name}` counts from 1; set at least 1, or leave it out")),
        };
        let most = number("limit", limit, MOST)?.clamp(FEWEST, MOST);
        let from = (number("page", page, 1)? - 1).saturating_mul(number("limit", limit, DEFAULT_LIMIT)?);
        Ok(Self {
            from,
            most,
            end: from,
            last: None,
            overlap: 0,
            seen: HashSet::new(),
            hashes: RandomState::new(),
            given: 0,
            windows: 0,
            total: 0,
            short: 0,
            moved: false,
            again: false,
            over: false,
        })
    }

    /// Returns the window that begins early enough and ends as late as possible; `None` at the end of the list.
    pub(super) fn window(&self) -> Option<Window> {
        let first = self.end.saturating_sub(self.overlap).max(self.from);
        let windows = (self.most / 2..=self.most).map(|limit| Window { start: first - first % limit, limit });
        windows.max_by_key(|window| window.start.saturating_add(window.limit)).filter(|_| !self.over)
    }

    /// Whether exactly one window has been taken.
    pub(super) fn is_first(&self) -> bool {
        self.windows == 1
    }

    /// Returns what is new among the rows of the window, of a list that has `total` rows.
    pub(super) fn take<T: Serialize>(&mut self, window: Window, rows: &[T], total: u64) -> Result<Next, String> {
        let rows = rows.iter().map(|row| self.hash(row)).collect::<Result<Vec<_>, _>>()?;
        let end = window.start.saturating_add(rows.len() as u64);
        if (rows.len() as u64) < window.limit && end < total {
            self.short += 1;
            let (few, limit) = (rows.len(), window.limit);
            return if self.short < SHORT {
                Ok(Next::Again)
            } else {
                Err(format!(
                    "asked for {limit} rows of {total}, the server sent {few}, so rows would be lost; read page by page with \
                     `send`"
                ))
            };
        }
        self.short = 0;
        self.windows += 1;
        self.total = self.total.max(total);
        if self.windows > 64 + self.total / 2 {
            return Err("the list changes faster than it can be read; read it again at a quieter time".to_owned());
        }
        let Some(is_new) = self.look(window, &rows) else {
            self.overlap = self.overlap.saturating_mul(2).max(self.most);
            return Ok(Next::Again);
        };
        self.given += is_new.iter().filter(|new| **new).count() as u64;
        self.last = rows.last().copied();
        self.seen.extend(rows);
        self.end = end.max(self.from);
        // If one row has moved, more will.
        self.overlap = if self.moved { self.most / 4 } else { 1 };
        self.finish(total)?;
        Ok(Next::New(is_new))
    }

    /// Returns which rows are new; `None` if other rows may have been missed before them.
    fn look(&mut self, window: Window, rows: &[u64]) -> Option<Vec<bool>> {
        let at = |index: usize| window.start + index as u64;
        let in_place = self.last.is_none() || {
            let mut there = (0..rows.len()).filter(|index| at(*index) + 1 == self.end);
            there.next().is_some_and(|index| Some(rows[index]) == self.last)
        };
        self.moved |= !in_place;
        // Everything before a row that has been read has been read as well.
        let joins = in_place || window.start <= self.from || rows.first().is_some_and(|row| self.seen.contains(row));
        let is_new = |(index, row): (usize, &u64)| match self.moved {
            // As long as nothing has moved, two rows that are alike in everything count as two.
            false => at(index) >= self.end,
            true => at(index) >= self.from && !self.seen.contains(row),
        };
        joins.then(|| rows.iter().enumerate().map(is_new).collect())
    }

    /// Finds out whether the reading is over, or has to be done once more.
    fn finish(&mut self, total: u64) -> Result<(), String> {
        let missing = total.saturating_sub(self.from).saturating_sub(self.given);
        self.over = if self.again { missing == 0 } else { self.end >= total && (missing == 0 || !self.moved) };
        if self.over || self.end < total {
            return Ok(());
        }
        if self.again {
            return Err(format!(
                "{missing} of {total} rows came, or changed their places, while the list was read once more; sort by what does \
                 not change, or read it again at a quieter time"
            ));
        }
        (self.again, self.end, self.last) = (true, self.from, None);
        Ok(())
    }

    fn hash(&self, row: &impl Serialize) -> Result<u64, String> {
        // A value has its members in a fixed order, whatever kinds of maps it was made from.
        let value = serde_json::to_value(row).map_err(|_| "a row cannot be written as JSON".to_owned())?;
        Ok(self.hashes.hash_one(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Reads the list of a server, which `write` changes before each answer. Returns all rows that came, and how many
    /// windows that took.
    fn read(
        mut position: Position,
        mut list: Vec<u64>,
        mut write: impl FnMut(&mut Vec<u64>, u64),
    ) -> Result<(Vec<u64>, u64), String> {
        let (mut given, mut windows) = (Vec::new(), 0);
        while let Some(window) = position.window() {
            windows += 1;
            assert!(windows < 10_000, "it does not end");
            assert!((1..=MOST).contains(&window.limit()), "{window:?}");
            assert_eq!((window.page() - 1) * window.limit(), window.start, "{window:?}");
            write(&mut list, windows);
            let rows: Vec<u64> = list.iter().skip(window.start as usize).take(window.limit as usize).copied().collect();
            if let Next::New(is_new) = position.take(window, &rows, list.len() as u64)? {
                assert_eq!(is_new.len(), rows.len());
                given.extend(rows.into_iter().zip(is_new).filter(|(_, is_new)| *is_new).map(|(row, _)| row));
            }
        }
        Ok((given, windows))
    }

    fn start() -> Position {
        Position::new(None, None).unwrap()
    }

    #[test]
    fn a_list_at_rest_comes_once_and_in_order_for_few_windows_more() {
        for length in [0, 1, 2, 49, 50, 51, 98, 99, 100, 1000, 100_000] {
            let list: Vec<u64> = (0..length).collect();
            let (given, windows) = read(start(), list.clone(), |_, _| {}).unwrap();
            assert_eq!(given, list);
            assert!(windows <= 2 + length / 41, "{length} rows in {windows} windows");
        }
        // The rows are all alike.
        let (given, _) = read(start(), vec![7; 333], |_, _| {}).unwrap();
        assert_eq!(given.len(), 333);
    }

    #[test]
    fn it_begins_and_asks_as_it_is_told() {
        for (page, limit, from, most) in [
            (1, 50, 0, 50),
            (3, 50, 100, 50),
            (3, 20, 40, 20),
            (2, 5, 5, 20),
            (2, 1000, 1000, 50),
            (900, 50, 44_950, 50),
        ] {
            let position = Position::new(Some(page), Some(limit)).unwrap();
            assert!(position.window().unwrap().limit() <= most);
            let (given, _) = read(position, (0..2000).collect(), |_, _| {}).unwrap();
            assert_eq!(given, (from..2000).collect::<Vec<_>>(), "page {page} of {limit}");
        }
        let (given, _) = read(Position::new(Some(3), None).unwrap(), (0..99).collect(), |_, _| {}).unwrap();
        assert_eq!(given[0], 20, "the server's default is ten");
        for (page, limit) in [(Some(0), None), (Some(-1), None), (None, Some(0)), (Some(1), Some(i64::MIN))] {
            assert!(Position::new(page, limit).is_err(), "{page:?} {limit:?}");
        }
        let far = Position::new(Some(i64::MAX), Some(i64::MAX)).unwrap();
        assert!(read(far, (0..10).collect(), |_, _| {}).unwrap().0.is_empty());
    }

    #[test]
    fn rows_that_are_deleted_take_none_with_them() {
        // One row that was read is deleted before each window, so that the next one would be missed each time.
        let (given, _) = read(start(), (0..5000).collect(), |list, _| {
            list.remove(0);
        })
        .unwrap();
        assert_eq!(given.iter().filter(|row| **row > 200).count(), 4799);
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len(), "none twice");
        // All rows that were read are deleted at once.
        let (given, _) = read(start(), (0..500).collect(), |list, window| {
            if window == 5 {
                list.drain(..180);
            }
        })
        .unwrap();
        assert_eq!(given, (0..500).collect::<Vec<_>>());
    }

    #[test]
    fn as_many_that_come_as_go_are_noticed() {
        let (given, _) = read(start(), (0..5000).collect(), |list, window| {
            list.remove(window as usize % 40);
            list.push(10_000 + window);
        })
        .unwrap();
        let given: BTreeSet<u64> = given.into_iter().collect();
        assert!((300..5000).all(|row| given.contains(&row)));
    }

    #[test]
    fn what_is_put_before_all_others_makes_none_come_twice() {
        let (given, windows) = read(start(), (1000..2000).rev().collect(), |list, window| {
            if window < 20 {
                (0..30).for_each(|one| list.insert(0, 2000 + 30 * window + one));
            }
        })
        .unwrap();
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len());
        assert!((1000..2000).all(|row| given.contains(&row)));
        assert!(windows < 70, "{windows} windows");
    }

    #[test]
    fn rows_that_change_their_places_are_found_or_missed_aloud() {
        // The last row moves to the front, as in a list that is sorted by the last change.
        let (given, _) = read(start(), (0..1000).collect(), |list, window| {
            if window < 10 {
                let last = list.pop().unwrap();
                list.insert(0, last);
            }
        })
        .unwrap();
        assert_eq!(given.into_iter().collect::<BTreeSet<_>>().len(), 1000);
        let error = read(start(), (0..1000).collect(), |list, window| {
            let last = list.pop().unwrap();
            list.insert((window as usize * 37) % 60, last);
        });
        let error = error.map(|(given, _)| given.into_iter().collect::<BTreeSet<_>>().len());
        assert!(
            error.as_ref().map_or_else(|error| error.contains("changed their places"), |all| *all == 1000),
            "{error:?}"
        );
    }

    #[test]
    fn a_server_that_does_not_keep_to_it_is_an_error_and_no_loop() {
        let answer = |rows: fn(Window) -> Vec<u64>, total| -> Result<(), String> {
            let mut position = start();
            for _ in 0..100_000 {
                let Some(window) = position.window() else { return Ok(()) };
                position.take(window, &rows(window), total)?;
            }
            panic!("it does not end")
        };
        let error = answer(|window| (window.start..window.start + 20).collect(), 1000).unwrap_err();
        assert!(error.contains("the server sent 20"), "{error}");
        let error = answer(|_| Vec::new(), 1000).unwrap_err();
        assert!(error.contains("the server sent 0"), "{error}");
        // The server sends the same page, whichever is asked for.
        let error = answer(|window| (0..window.limit).collect(), 100_000).unwrap_err();
        assert!(error.contains("faster") || error.contains("places"), "{error}");
        // The server sends other rows each time.
        let random = |window: Window| {
            let one = RandomState::new().hash_one(0);
            (0..window.limit).map(|index| one.wrapping_add(index)).collect()
        };
        let error = answer(random, 1000).unwrap_err();
        assert!(error.contains("faster") || error.contains("places"), "{error}");
        assert_eq!(answer(|window| (window.start..window.start + window.limit).collect(), 0), Ok(()), "none in all");
    }

    #[derive(Debug, Clone)]
    enum Write {
        Delete(prop::sample::Index),
        Insert(prop::sample::Index),
    }

    fn writes() -> impl Strategy<Value = Vec<Vec<Write>>> {
        let write = prop_oneof![
            any::<prop::sample::Index>().prop_map(Write::Delete),
            any::<prop::sample::Index>().prop_map(Write::Insert)
        ];
        prop::collection::vec(prop::collection::vec(write, 0..6), 0..40)
    }

    proptest! {
        /// Whatever is added and removed between the windows, each row that was there from the start to the end comes.
        #[test]
        fn what_stays_comes(length in 0_u64..700, limit in 20_i64..=50, writes in writes()) {
            let mut list: Vec<u64> = (0..length).collect();
            let mut deleted = BTreeSet::new();
            let mut next = 100_000;
            let position = Position::new(None, Some(limit)).unwrap();
            let given = read(position, std::mem::take(&mut list), |list, window| {
                for write in writes.get(window as usize).into_iter().flatten() {
                    match write {
                        Write::Delete(index) if !list.is_empty() => {
                            deleted.insert(list.remove(index.index(list.len())));
                        }
                        Write::Delete(_) => {}
                        Write::Insert(index) => {
                            next += 1;
                            list.insert(index.index(list.len() + 1), next);
                        }
                    }
                }
            });
            // A row that is added during the second reading cannot be told from one that has moved, which is an error.
            let (given, _) = match given {
                Err(error) if error.contains("changed their places") => return Ok(()),
                given => given.map_err(TestCaseError::fail)?,
            };
            let all: BTreeSet<u64> = given.iter().copied().collect();
            let lost: Vec<u64> = (0..length).filter(|row| !deleted.contains(row) && !all.contains(row)).collect();
            prop_assert!(lost.is_empty(), "lost {:?}", lost);
            prop_assert_eq!(all.len(), given.len(), "none comes twice");
        }
    }
}
