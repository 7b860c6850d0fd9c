//! The character encoding of a text table: UTF-8, what a byte order mark or zeros in every other byte say, what is asked
//! for, or, where a file is none of these, what its bytes say beyond doubt.

use std::io::{BufRead, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding, GB18030, GBK, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::{Error, Result, shown};

/// The encoding of this name, as the web knows it: `gbk`, `latin1`, `utf-16le`, ….
///
/// # Errors
/// [`Error::Unknown`].
pub(super) fn named(name: &str) -> Result<&'static Encoding> {
    Encoding::for_label(name.trim().as_bytes()).ok_or_else(|| Error::Unknown {
        kind: "character encoding".into(),
        name: name.into(),
        known: [
            "utf-8",
            "utf-16le",
            "utf-16be",
            "windows-1252",
            "gb18030",
            "big5",
            "shift_jis",
            "windows-1251",
        ]
        .map(String::from)
        .to_vec(),
    })
}

/// UTF-16 by its byte order mark, or by a first line of which every other byte is zero.
pub(super) fn utf_16(start: &[u8]) -> Option<&'static Encoding> {
    if start.starts_with(&[0xff, 0xfe]) {
        return Some(UTF_16LE);
    }
    if start.starts_with(&[0xfe, 0xff]) {
        return Some(UTF_16BE);
    }
    let (pairs, _) = start.as_chunks::<2>();
    let pairs = &pairs[..pairs.len().min(32)];
    let all =
        |zero: usize| pairs.len() > 1 && pairs.iter().all(|pair| pair[zero] == 0 && pair[1 - zero] != 0);
    if all(1) { Some(UTF_16LE) } else { all(0).then_some(UTF_16BE) }
}

/// What text that is not UTF-8 is encoded in; `None` where it is UTF-8, or no text at all.
///
/// # Errors
/// [`Error::Input`] where the bytes leave it open, or lines are encoded in different ways; [`Error::Io`].
pub(super) fn detect(name: &str, mut text: impl BufRead) -> Result<Option<&'static Encoding>> {
    let failed = |source| Error::Io { path: name.into(), source };
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let (mut line, mut number) = (Vec::new(), 0u64);
    let (mut utf_8, mut other, mut first_other) = (0u64, 0u64, 0);
    let mut words = Words::default();
    loop {
        line.clear();
        let read = (&mut text).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(failed)?;
        if read == 0 {
            break;
        }
        number += 1;
        if line.contains(&0) {
            return Ok(None);
        }
        detector.feed(&line, false);
        if !line.is_ascii() {
            if std::str::from_utf8(&line).is_ok() {
                utf_8 += 1;
            } else {
                other += 1;
                first_other = if other == 1 { number } else { first_other };
            }
            words.see(&line);
        }
    }
    if other == 0 {
        return Ok(None);
    }
    let place = format!("`{name}`, line {first_other}");
    if utf_8 * 5 > other {
        let hint = "save the whole file as UTF-8";
        return Err(Error::input(place, "is not UTF-8 text, and other lines of the file are", hint));
    }
    detector.feed(&[], true);
    let guess_from = |country: Option<&[u8]>| match detector.guess(country, Utf8Detection::Deny) {
        guess if guess == GBK => GB18030,
        guess => guess,
    };
    let guess = guess_from(None);
    // Beyond doubt is what does not depend on the country that the file is thought to come from.
    let sure = COUNTRIES.iter().all(|country| guess_from(Some(country.as_bytes())) == guess);
    if sure || (guess == WINDOWS_1252 && words.are_western()) || (guess == GB18030 && words.are_chinese()) {
        return Ok(Some(guess));
    }
    let hint = "say it with `‹encoding gb18030›`, `windows-1252`, `shift_jis`, …, or save the file as UTF-8";
    let problem = format!("is not UTF-8 text; it may be {} or another encoding", guess.name());
    Err(Error::input(place, problem, hint))
}

/// Countries whose usual encodings differ.
const COUNTRIES: [&str; 8] = ["cn", "tw", "jp", "kr", "ru", "de", "pl", "gr"];

/// Bytes of a line that are looked at in one piece.
const LONGEST_LINE: u64 = 1 << 20;

/// The bytes beyond ASCII, as western and as Chinese writing.
#[derive(Default)]
struct Words {
    /// Letters and signs that western text has.
    usual: u64,
    /// Everything else, and more than two in a row.
    odd: u64,
    /// Pairs of bytes that are common characters (the first level of GB 2312) or punctuation, and all others.
    characters: [u64; 2],
}

impl Words {
    fn see(&mut self, line: &[u8]) {
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(line);
        let mut row = 0;
        for c in text.chars() {
            row = if c.is_ascii() { 0 } else { row + 1 };
            let usual = c.is_lowercase() || "ÄÖÜÉÈÀÇÑÅØÆÁÍÓÚÊÔÎ°µ€£§²³½«»“”‘’–—…·±\u{a0}".contains(c);
            match (c.is_ascii(), usual && row <= 2) {
                (true, _) => {}
                (_, true) => self.usual += 1,
                _ => self.odd += 1,
            }
        }
        let mut bytes = line.iter();
        while let Some(first) = bytes.next() {
            if !first.is_ascii() {
                let second = bytes.next().copied().unwrap_or_default();
                let common = matches!(first, 0xa1..=0xa3 | 0xb0..=0xd7) && second >= 0xa1;
                self.characters[usize::from(!common)] += 1;
            }
        }
    }

    fn are_chinese(&self) -> bool {
        let [common, other] = self.characters;
        common > 0 && other * 20 <= common
    }

    fn are_western(&self) -> bool {
        self.usual > 0 && self.odd == 0
    }
}

/// Text of any encoding as UTF-8, decoded piece by piece.
pub(super) struct Decoded<R> {
    name: String,
    source: R,
    decoder: encoding_rs::Decoder,
    /// Decoded text, and how much of it has been read.
    ready: Vec<u8>,
    read: usize,
    ended: bool,
}

impl<R: BufRead> Decoded<R> {
    pub(super) fn new(name: &str, source: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { name: name.into(), source, decoder, ready: Vec::new(), read: 0, ended: false }
    }

    /// Decodes the next piece; nothing at the end.
    fn refill(&mut self) -> std::io::Result<()> {
        self.read = 0;
        self.ready.clear();
        self.ready.resize(1 << 16, 0);
        let mut written = 0;
        while written == 0 && !self.ended {
            let input = self.source.fill_buf()?;
            let last = input.is_empty();
            let (result, used, made) =
                self.decoder.decode_to_utf8_without_replacement(input, &mut self.ready, last);
            self.source.consume(used);
            written = made;
            match result {
                DecoderResult::InputEmpty => self.ended = last,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let encoding = self.decoder.encoding().name();
                    let problem = format!("`{}` holds bytes that are no {encoding}", shown(&self.name));
                    return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, problem));
                }
            }
        }
        self.ready.truncate(written);
        Ok(())
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.read == self.ready.len() && !self.ended {
            self.refill()?;
        }
        Ok(&self.ready[self.read..])
    }

    fn consume(&mut self, amount: usize) {
        self.read += amount;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{SHIFT_JIS, WINDOWS_1251};

    fn found(bytes: &[u8]) -> std::result::Result<Option<&'static str>, String> {
        detect("t.csv", bytes).map(|found| found.map(Encoding::name)).map_err(|error| error.to_string())
    }

    fn decoded(bytes: &[u8], encoding: &'static Encoding) -> std::io::Result<String> {
        let mut text = String::new();
        Decoded::new("t.csv", bytes, encoding).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn what_is_beyond_doubt_is_found() {
        let chinese = "城市,温度,等级\n北京,21.5,优良\n上海,25.0,中等\n广州,29.1,较差\n成都,22.4,优良\n";
        let german = "Stadt,Größe,Güte\nMünchen,12,schön\nKöln,13,mäßig\nLübeck,14,schön\n";
        let russian = "город,оценка\nМосква,хорошо\nКазань,плохо\nТверь,хорошо\nСамара,удовлетворительно\n";
        for (text, encoding) in [(chinese, GB18030), (german, WINDOWS_1252), (russian, WINDOWS_1251)] {
            let (bytes, ..) = encoding.encode(text);
            assert_eq!(found(&bytes), Ok(Some(encoding.name())), "{text}");
            assert_eq!(decoded(&bytes, encoding).unwrap(), text);
        }
        assert_eq!(found(german.as_bytes()), Ok(None));
        assert_eq!(found(b"a,b\n1,2\n"), Ok(None));
        assert_eq!(found(b"\0\xff\xfe\n"), Ok(None));
    }

    #[test]
    fn what_is_open_or_mixed_is_refused() {
        let mixed = [&b"a,b\n"[..], "größe,1\n".as_bytes(), b"gr\xf6\xdfe,2\n"].concat();
        let said = found(&mixed).unwrap_err();
        assert_eq!(said, "`t.csv`, line 3: is not UTF-8 text, and other lines of the file are");
        let said = found(b"a,b\n\xd7\xf7,2\n").unwrap_err();
        assert!(said.starts_with("`t.csv`, line 2: is not UTF-8 text; it may be "), "{said}");
    }

    #[test]
    fn utf_16_is_known_by_its_mark_or_its_zeros() {
        let text = "Größe,举\n1,2\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = [&[0xff, 0xfe][..], &little].concat();
        assert_eq!(utf_16(&marked), Some(UTF_16LE));
        assert_eq!(decoded(&marked, UTF_16LE).unwrap(), text);
        assert_eq!(decoded(&big, UTF_16BE).unwrap(), text);
        let ascii: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(utf_16(&ascii), Some(UTF_16LE));
        assert_eq!((utf_16(b"a,b\n1,2\n"), utf_16(b""), utf_16(b"a\0")), (None, None, None));
    }

    #[test]
    fn long_text_is_decoded_in_pieces_and_bad_bytes_are_an_error() {
        let text = "北京,".repeat(60_000);
        let (bytes, ..) = GB18030.encode(&text);
        assert!(decoded(&bytes, GB18030).unwrap() == text);
        let error = decoded(b"a\xff\xff", SHIFT_JIS).unwrap_err();
        assert_eq!(error.to_string(), "`t.csv` holds bytes that are no Shift_JIS");
        assert_eq!(named("Latin1").unwrap(), WINDOWS_1252);
        assert!(named("klingon").unwrap_err().hint().unwrap().contains("gb18030"));
    }
}
