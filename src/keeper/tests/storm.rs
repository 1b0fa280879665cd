//! A fleet in which everything goes wrong at once, and then nothing any more.

use super::memory::MemoryStore;
use super::*;
use std::sync::atomic::AtomicU64;

/// What happens to a fleet, in an order that depends on the seed.
struct Storm(AtomicU64);

impl Storm {
    fn one_of(&self, many: u64) -> u64 {
        let next = |state: u64| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let state = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |state| Some(next(state))).unwrap();
        (state >> 33) % many
    }

    fn seconds(&self, most: u64) -> Duration {
        Duration::from_millis(self.one_of(most * 1000))
    }
}

/// A server that has one token for all, and is sometimes slow and sometimes fails.
fn server(storm: &Arc<Storm>, calm: &Arc<AtomicUsize>, current: &Arc<Mutex<(u64, Instant)>>) -> Server {
    let (storm, calm, current) = (Arc::clone(storm), Arc::clone(calm), Arc::clone(current));
    Server::new(move |_| {
        let calm = calm.load(Ordering::SeqCst) == 1;
        let takes = if calm || storm.one_of(4) > 0 { SECOND / 10 } else { storm.seconds(9) };
        if !calm && storm.one_of(8) == 0 {
            return failure(ErrorKind::Timeout).after(takes);
        }
        let mut current = current.lock().unwrap();
        if current.1 < Instant::now() + SECOND * 310 {
            *current = (current.0 + 1, Instant::now() + SECOND * 7200);
        }
        token(current.0.to_string(), (current.1 - Instant::now() - takes).as_secs()).after(takes)
    })
}

#[tokio::test(start_paused = true)]
async fn whatever_befell_a_fleet_when_it_is_over_all_have_the_one_good_token_and_nobody_a_lock() {
    for seed in 0..50 {
        let (storm, calm) = (Arc::new(Storm(AtomicU64::new(seed))), Arc::new(AtomicUsize::new(0)));
        let current = Arc::new(Mutex::new((1, Instant::now() + SECOND * 7200)));
        let (server, store) = (server(&storm, &calm, &current), MemoryStore::default());
        let mut fleet: Vec<_> = (0..5).map(|_| server.process(&store)).collect();
        let call = |process: &Arc<Keeper>| {
            let (process, current) = (Arc::clone(process), Arc::clone(&current));
            async move {
                let token = process.get().await?;
                // WeChat rejects any token but the current one.
                if token.expose_secret() != current.lock().unwrap().0.to_string() {
                    process.invalidate(&token);
                }
                Ok::<_, Error>(token)
            }
        };
        for _ in 0..60 {
            match storm.one_of(14) {
                0 | 1 => store.refuse(storm.one_of(2) == 0),
                2 | 3 => store.hang(storm.one_of(2) == 0),
                4 => store.break_lock(),
                5 => store.lock_for(storm.seconds(12)),
                6 => fleet[storm.one_of(5) as usize] = server.process(&store),
                7 => {
                    let mut current = current.lock().unwrap();
                    *current = (current.0 + 1, Instant::now() + SECOND * 7200);
                }
                _ => {}
            }
            for process in &fleet {
                tokio::spawn(call(process));
            }
            pass(storm.seconds(4).as_secs_f64()).await;
        }
        store.refuse(false);
        store.hang(false);
        calm.store(1, Ordering::SeqCst);
        pass([100.0, 7000.0][storm.one_of(2) as usize]).await;
        // The pauses after tokens that were rejected in a row are waited out.
        for _ in 0..6 {
            for process in &fleet {
                let _ = call(process).await;
            }
            pass(40.0).await;
        }
        let before = server.requests();
        for process in &fleet {
            assert_eq!(get(process).await, Ok(current.lock().unwrap().0.to_string()), "{seed}");
        }
        pass(10.0).await;
        assert!(server.requests() - before <= 1 && !store.is_locked(), "{seed}");
    }
}
