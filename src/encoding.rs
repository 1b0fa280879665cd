//! The ways in which a server may repeat a text of the request: as it is, percent-encoded, or escaped as in JSON or
//! HTML.

use std::ops::Range;

/// A text with one encoding undone, folded by [`fold`].
pub(crate) struct Reading {
    pub(crate) bytes: Vec<u8>,
    /// The place in the text that each byte comes from.
    places: Vec<Range<usize>>,
}

/// Decodes what follows the sign of an escape, and appends what it means. Returns how many bytes that took, or `None`
/// if it is not an escape.
type Decode = fn(&[u8], &mut Vec<u8>) -> Option<usize>;

const ENCODINGS: [(u8, Decode); 3] = [(b'%', percent), (b'\\', json), (b'&', html)];

/// Whether a text may contain an escape.
pub(crate) fn may_be_encoded(text: &str) -> bool {
    text.bytes().any(|byte| ENCODINGS.iter().any(|(sign, _)| byte == *sign))
}

/// The text as it is, and decoded by each encoding whose sign it contains.
pub(crate) fn readings(text: &str) -> impl Iterator<Item = Reading> {
    let encodings = ENCODINGS.iter().filter(|(sign, _)| text.as_bytes().contains(sign)).map(Some);
    std::iter::once(None).chain(encodings).map(|encoding| Reading::of(text.as_bytes(), encoding))
}

/// Folds a byte into the form in which texts are compared: servers and gateways change the case of hexadecimal digits,
/// and write a space as `+`.
pub(crate) fn fold(byte: u8) -> u8 {
    if byte == b'+' { b' ' } else { byte.to_ascii_lowercase() }
}

impl Reading {
    fn of(text: &[u8], encoding: Option<&(u8, Decode)>) -> Self {
        let mut reading = Self { bytes: Vec::with_capacity(text.len()), places: Vec::with_capacity(text.len()) };
        let mut at = 0;
        while let [first, rest @ ..] = &text[at..] {
            let escape = encoding.filter(|(sign, _)| sign == first);
            let taken = escape.and_then(|(_, decode)| decode(rest, &mut reading.bytes)).unwrap_or_else(|| {
                reading.bytes.push(*first);
                0
            });
            let next = at + 1 + taken;
            reading.places.resize(reading.bytes.len(), at..next);
            at = next;
        }
        reading.bytes.iter_mut().for_each(|byte| *byte = fold(*byte));
        reading
    }

    /// The place in the text of a part of the bytes, which must not be empty.
    pub(crate) fn place(&self, part: Range<usize>) -> Range<usize> {
        self.places[part.start].start..self.places[part.end - 1].end
    }
}

fn percent(rest: &[u8], read: &mut Vec<u8>) -> Option<usize> {
    read.push(u8::try_from(number(rest.get(..2)?, 16)?).ok()?);
    Some(2)
}

fn json(rest: &[u8], read: &mut Vec<u8>) -> Option<usize> {
    let letter = match rest.first()? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = |at: usize| u16::try_from(number(rest.get(at..at + 4)?, 16)?).ok();
            let second = if rest.get(5..7) == Some(b"\\u") { unit(7) } else { None };
            let letter = char::decode_utf16([unit(1)?].into_iter().chain(second)).next()?.ok()?;
            push(letter, read);
            return Some(if letter.len_utf16() == 1 { 5 } else { 11 });
        }
        same @ (b'"' | b'\\' | b'/') => char::from(*same),
        _ => return None,
    };
    push(letter, read);
    Some(1)
}

fn html(rest: &[u8], read: &mut Vec<u8>) -> Option<usize> {
    const LONGEST: usize = "#x0010ffff;".len();
    let end = rest.iter().take(LONGEST).position(|byte| *byte == b';')?;
    let letter = match &rest[..end] {
        b"quot" => '"',
        b"apos" => '\'',
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        _ => return None,
    };
    push(letter, read);
    Some(end + 1)
}

fn push(letter: char, read: &mut Vec<u8>) {
    read.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Reads digits only; `from_str_radix` would accept a sign.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let add = |number: u32, digit: &u8| number.checked_mul(radix)?.checked_add(char::from(*digit).to_digit(radix)?);
    if digits.is_empty() { None } else { digits.iter().try_fold(0, add) }
}

/// A server's text, made fit for one line of a log: without control characters, and of limited length.
pub(crate) fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut line: String = text.chars().take(LONGEST).map(|c| if breaks(c) { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}
