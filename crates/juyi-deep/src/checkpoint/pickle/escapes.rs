//! Texts as lines of a pickle, in which what does not fit on a line is written with a backslash.
//!
//! Format: Python's `repr` of a text of Python 2, and its `raw-unicode-escape` encoding. Linear in the line.

use std::borrow::Cow;

/// The bytes of a text in single or double quotes; `None` if that is not what it is.
pub(super) fn quoted(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let [quote @ (b'\'' | b'"'), inside @ .., end] = line else { return None };
    if quote != end {
        return None;
    }
    if !inside.contains(&b'\\') {
        return Some(inside.into());
    }
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let [first, after @ ..] = rest {
        rest = after;
        let byte = if *first == b'\\' {
            let (escape, after) = rest.split_first()?;
            rest = after;
            match escape {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'\\' | b'\'' | b'"' => *escape,
                b'x' => u8::try_from(hexadecimal(&mut rest, 2)?).ok()?,
                _ => return None,
            }
        } else {
            *first
        };
        bytes.push(byte);
    }
    Some(bytes.into())
}

/// The UTF-8 of a line in which a byte is the letter of that number, or part of `\uXXXX` or `\UXXXXXXXX`.
pub(super) fn raw_unicode(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    if line.is_ascii() && !line.contains(&b'\\') {
        return Some(line.into());
    }
    let mut text = String::with_capacity(2 * line.len());
    let mut rest = line;
    while let [first, after @ ..] = rest {
        rest = after;
        let digits = match rest.first() {
            Some(b'u') if *first == b'\\' => 4,
            Some(b'U') if *first == b'\\' => 8,
            _ => {
                text.push(char::from(*first));
                continue;
            }
        };
        rest = &rest[1..];
        text.push(char::from_u32(hexadecimal(&mut rest, digits)?)?);
    }
    Some(text.into_bytes().into())
}

/// A number of so many hexadecimal digits at the start of `rest`, which is moved behind it.
fn hexadecimal(rest: &mut &[u8], digits: usize) -> Option<u32> {
    let (number, after) = rest.split_at_checked(digits)?;
    *rest = after;
    let digit = |number: u32, byte: &u8| Some(number << 4 | char::from(*byte).to_digit(16)?);
    number.iter().try_fold(0, digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_texts_are_as_repr_writes_them() {
        assert_eq!(*quoted(b"'ab'").unwrap(), b"ab"[..]);
        assert_eq!(*quoted(br#""it's""#).unwrap(), b"it's"[..]);
        assert_eq!(*quoted(br"'\x00\xff\n\t\\\''").unwrap(), b"\0\xff\n\t\\'"[..]);
        for bad in [&b""[..], b"'", b"'a", b"'a\"", br"'\'", br"'\x1'", br"'\xg0'", br"'\q'"] {
            assert!(quoted(bad).is_none(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn raw_unicode_is_latin_1_with_escapes() {
        let text = |line| String::from_utf8(raw_unicode(line).unwrap().into_owned()).unwrap();
        assert_eq!(text(b"plain"), "plain");
        assert_eq!(text(b"\xe9\xff"), "éÿ");
        assert_eq!(text(br"a\u005c\u000a\U0001f600\d"), "a\\\n😀\\d");
        for bad in [&br"\u12"[..], br"\ud800", br"\U00110000", br"\uxyzw"] {
            assert!(raw_unicode(bad).is_none(), "{}", bad.escape_ascii());
        }
    }
}
