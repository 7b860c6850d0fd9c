//! MATLAB `.mat` files of Level 5, as MATLAB's `save -v6` and `-v7` and SciPy's `savemat` write them.
//!
//! Format: "MAT-File Format" (The `MathWorks`, Inc.), chapter "Level 5 MAT-File Format": a header of 128
//! bytes, then one tagged element per variable, plain or deflated, which is a list of tagged parts (flags,
//! sizes, name, data). It is read here and not by a crate because files are untrusted: the pure-Rust readers
//! inflate without a bound, and some unwrap. Here every length is held against what is left before it is
//! believed, a budget is charged before memory is allocated, and nothing recurses: cells hold strings, the
//! rest is passed over whole.

mod table;

use std::fmt::Display;
use std::io::{BufReader, Read, Seek, SeekFrom};

use flate2::bufread::ZlibDecoder;

pub use table::table;

use crate::error::{Error, Result};

/// One variable of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Rows as stored: of the matrix, the char matrix or the cell array.
    pub rows: usize,
    /// Columns as stored.
    pub columns: usize,
    /// What it holds.
    pub values: Values,
}

/// What a variable holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// A matrix of any real numeric class or logical, full or sparse; column-major.
    Numbers(Vec<f64>),
    /// One string per row of a char matrix (without the blanks that pad several rows) or per cell.
    Text(Vec<String>),
}

// A storage type and some array classes (tables 1-1 and 1-3 of the format).
const MATRIX: u32 = 14;
const CELL: u32 = 1;
const CHAR: u32 = 4;
const SPARSE: u32 = 5;
const OPAQUE: u32 = 17;
const CLASSES: &str = "unknown cell struct object char sparse double single int8 uint8 int16 uint16 int32 \
                       uint32 int64 uint64 function object";

/// Most variables of a file: their names are listed.
const VARIABLES: usize = 1 << 16;

/// Reads the variables named in `wanted` from the file called `name`, in that order; others are passed over
/// after their headers. At most `limit` bytes are allocated for them, counting everything that is built on
/// the way.
///
/// # Errors
/// When the file is not a sound Level 5 MAT-file, when a wanted variable is missing, is there twice or is
/// neither a real matrix nor a list of strings, and when the limit would be passed.
pub fn read<R: Read + Seek>(name: &str, file: &mut R, wanted: &[&str], limit: u64) -> Result<Vec<Variable>> {
    let mut found: Vec<Variable> = Vec::new();
    walk(name, file, limit, |header, part| {
        if !wanted.contains(&header.name.as_str()) {
            return Ok(());
        }
        part.expect(found.iter().all(|v| v.name != header.name), "is in the file twice")?;
        let values = part.values(&header)?;
        part.skip(part.left)?;
        let rest = part.reader.read(&mut [0]).map_err(|why| part.bad(why))?; // zlib checks its sum at the end
        part.expect(rest == 0, "goes on behind its end")?;
        let [rows, columns] = [header.sizes[0] as usize, header.sizes[1] as usize];
        found.push(Variable { name: header.name, rows, columns, values });
        Ok(())
    })?;
    if let Some(absent) = wanted.iter().find(|name| found.iter().all(|v| v.name != **name)) {
        let has = list(name, file)?.into_iter().take(20).map(|(name, shape)| format!("`{name}` ({shape})"));
        let hint = format!("variables of the file: {}", has.collect::<Vec<_>>().join(", "));
        return Err(Error::input(format!("`{name}`"), format!("has no variable `{absent}`"), hint));
    }
    found.sort_by_key(|v| wanted.iter().position(|name| *name == v.name));
    Ok(found)
}

/// Names and shapes of all variables, such as `("fts", "2000 x 256 double")`.
///
/// # Errors
/// When the file is not a sound Level 5 MAT-file.
pub fn list<R: Read + Seek>(name: &str, file: &mut R) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    walk(name, file, 0, |header, _| {
        found.push((header.name, header.shape));
        Ok(())
    })?;
    Ok(found)
}

/// Calls `visit` for every variable, with its header and the part of the file behind the header.
fn walk<R: Read + Seek>(
    name: &str,
    file: &mut R,
    limit: u64,
    mut visit: impl FnMut(Header, &mut Part) -> Result<()>,
) -> Result<()> {
    let failed = |source| Error::Io { path: name.into(), source };
    let end = file.seek(SeekFrom::End(0)).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let mut file = BufReader::new(file);
    let mut head = Vec::with_capacity(128);
    (&mut file).take(128).read_to_end(&mut head).map_err(failed)?;
    let name = format!("`{name}`");
    let big_endian = preamble(&name, &head)?;
    let (mut at, mut spent, mut count) = (128, 0, 0);
    while at < end {
        count += 1;
        if count > VARIABLES {
            let problem = format!("has more than {VARIABLES} variables");
            return Err(Error::input(name, problem, "save the two that are needed"));
        }
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        let thing = format!("{name}, element at byte {at}");
        let left = end - at;
        let mut part = Part { reader: &mut file, left, big_endian, thing, limit: 1 << 16, spent: 0 };
        let (mut kind, len, _) = part.tag()?;
        at = end - part.left + len;
        let (thing, plain, packed) = (part.thing, (&mut file).take(len), kind == 15);
        let mut reader: Box<dyn Read> =
            if packed { Box::new(ZlibDecoder::new(plain)) } else { Box::new(plain) };
        // Deflate cannot shrink further than 258 bytes to 2 bits (zlib, "Technical Details").
        let left = if packed { len.saturating_mul(1032) } else { len };
        part = Part { reader: &mut reader, left, big_endian, thing, limit: 1 << 16, spent: 0 };
        if packed {
            (kind, part.left, _) = part.tag()?;
        }
        part.expect(kind == MATRIX, format_args!("has type {kind}, which is not an array"))?;
        let header = part.header()?;
        (part.limit, part.spent) = (limit, spent); // the header had its own
        if !header.name.is_empty() {
            // The element without a name is MATLAB's own store.
            part.thing = format!("{name}, variable `{}`", header.name);
            visit(header, &mut part)?;
        }
        spent = part.spent;
    }
    Ok(())
}

/// Checks the 128 bytes at the start of a file; true if it is big-endian.
fn preamble(name: &str, head: &[u8]) -> Result<bool> {
    let version = head.get(124..).unwrap_or_default();
    let problem = match version {
        b"\x00\x01IM" | b"\x01\x00MI" => return Ok(version == b"\x01\x00MI"),
        b"\x00\x02IM" | b"\x02\x00MI" => "has version 7.3 (HDF5)",
        _ if head.starts_with(b"MATLAB 7.3") || head.starts_with(b"\x89HDF") => "has version 7.3 (HDF5)",
        _ if head.len() >= 20 && head[..4].contains(&0) => "has Level 4, or is not a MAT-file",
        _ if head.len() < 128 => "is not a MAT-file, or is cut off: it ends inside the header of 128 bytes",
        _ => "is not a MAT-file of Level 5: its header does not end in that version and a byte order",
    };
    let hint = "save it with `save('file.mat', '-v7')` in MATLAB or `scipy.io.savemat` in Python";
    Err(Error::input(name, problem, hint))
}

/// What stands before the data of a variable; `class` is 0 for complex numbers.
struct Header {
    class: u32,
    sizes: Vec<u64>,
    shape: String,
    name: String,
}

/// The rest of one element: where it comes from, how long it may still be, and the memory that it may take.
struct Part<'a> {
    reader: &'a mut dyn Read,
    left: u64,
    big_endian: bool,
    thing: String,
    limit: u64,
    spent: u64,
}

impl Part<'_> {
    fn bad(&self, problem: impl Display) -> Error {
        Error::input(&self.thing, problem.to_string(), "")
    }

    fn expect(&self, holds: bool, problem: impl Display) -> Result<()> {
        if holds { Ok(()) } else { Err(self.bad(problem)) }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<()> {
        let after = self.left.checked_sub(buffer.len() as u64);
        self.left = after.ok_or_else(|| self.bad("is cut off: it is shorter than its parts"))?;
        self.reader.read_exact(buffer).map_err(|why| self.bad(format_args!("is cut off or damaged: {why}")))
    }

    /// Passes over `count` bytes, or to the end: some writers leave out the last padding.
    fn skip(&mut self, count: u64) -> Result<()> {
        let end = self.left.saturating_sub(count);
        while self.left > end {
            self.fill(&mut [0; 512][..(self.left - end).min(512) as usize])?;
        }
        Ok(())
    }

    fn word(&mut self) -> Result<u32> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes)?;
        Ok(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// The next tag: type, length (at most what is left) and the bytes to the next boundary.
    fn tag(&mut self) -> Result<(u32, u64, u64)> {
        let word = self.word()?;
        let small = u64::from(word >> 16); // bytes of an element that fits behind a tag of 4 bytes
        let (len, padding) = match small {
            0 => (u64::from(self.word()?), 8),
            1..=4 => (small, 4),
            _ => return Err(self.bad("has a small element of more than 4 bytes")),
        };
        self.expect(len <= self.left, format_args!("is cut off: {len} bytes announced, {} left", self.left))?;
        Ok((word & 0xffff, len, len.wrapping_neg() % padding))
    }

    fn header(&mut self) -> Result<Header> {
        let flags = self.numbers(Some(2))?[0] as u32;
        let (class, logical, complex) = (flags & 0xff, flags & 0x200 != 0, flags & 0x800 != 0);
        let sizes = if class == OPAQUE { vec![1.0; 2] } else { self.numbers(None)? };
        let sound = (2..=64).contains(&sizes.len()) && sizes.iter().all(|size| (0.0..2e9).contains(size));
        self.expect(sound, "has damaged sizes")?;
        let sizes: Vec<u64> = sizes.iter().map(|size| *size as u64).collect();
        let (_, len, padding) = self.tag()?;
        self.expect(len <= 256, "has a damaged name")?;
        let name = String::from_utf8_lossy(&self.bytes(len, padding)?).replace(char::is_control, "\u{fffd}");
        let word = CLASSES.split(' ').nth(class as usize).unwrap_or("unknown");
        let word = if logical && class != SPARSE { "logical" } else { word };
        let shape = sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(" x ");
        let shape = format!("{shape} {}{word}", if complex { "complex " } else { "" });
        Ok(Header { class: if complex { 0 } else { class }, sizes, shape, name })
    }

    fn values(&mut self, header: &Header) -> Result<Values> {
        let shape = &header.shape;
        Ok(match (header.class, &header.sizes[..]) {
            (CHAR, &[rows, columns]) => Values::Text(self.lines(rows, columns)?),
            (CELL, &[rows, columns]) if rows.min(columns) < 2 => Values::Text(self.strings(rows * columns)?),
            (SPARSE, &[rows, columns]) => Values::Numbers(self.sparse(rows, columns)?),
            (6..=15, &[rows, columns]) => Values::Numbers(self.numbers(Some(rows * columns))?),
            _ => return Err(self.bad(format_args!("must be a real matrix or a list of strings, is {shape}"))),
        })
    }

    /// Room for `count` values, charged to the budget before it is allocated.
    fn reserve<T>(&mut self, count: u64) -> Result<Vec<T>> {
        self.spent = self.spent.saturating_add(count.saturating_mul(size_of::<T>() as u64));
        if self.spent > self.limit {
            let what = format!("reading {}", self.thing);
            return Err(Error::Memory { what, need: self.spent, budget: self.limit });
        }
        let (mut room, many) = (Vec::new(), usize::try_from(count).unwrap_or(usize::MAX));
        room.try_reserve_exact(many).map_err(|_| self.bad("does not fit into the memory of this machine"))?;
        Ok(room)
    }

    fn bytes(&mut self, len: u64, padding: u64) -> Result<Vec<u8>> {
        let mut bytes = self.reserve(len)?;
        bytes.resize(len as usize, 0);
        self.fill(&mut bytes)?;
        self.skip(padding)?;
        Ok(bytes)
    }

    /// The next element as numbers, letters as their codes: `count` of them, or as many as there are.
    fn numbers(&mut self, count: Option<u64>) -> Result<Vec<f64>> {
        let tag = self.tag()?;
        self.data(tag, count)
    }

    fn data(&mut self, (kind, len, padding): (u32, u64, u64), count: Option<u64>) -> Result<Vec<f64>> {
        let width = match kind {
            1 | 2 => 1,
            3 | 4 | 17 => 2,
            5..=7 | 18 => 4,
            9 | 12 | 13 => 8,
            16 => {
                let bytes = self.bytes(len, padding)?;
                let text = str::from_utf8(&bytes).map_err(|_| self.bad("is not valid UTF-8"))?;
                let has = text.chars().count() as u64;
                self.expect(count == Some(has), format_args!("has {has} letters, its size says otherwise"))?;
                let mut codes = self.reserve(has)?;
                codes.extend(text.chars().map(|letter| f64::from(u32::from(letter))));
                return Ok(codes);
            }
            _ => return Err(self.bad(format_args!("has data of type {kind}, not numbers or text"))),
        };
        let count = count.unwrap_or(len / width);
        let sound = count.checked_mul(width) == Some(len);
        self.expect(sound, format_args!("has {len} bytes of data for {count} values of {width}"))?;
        let mut numbers = self.reserve(count)?;
        let unused = 64 - 8 * width;
        let push = |raw: u64, byte: &u8| raw << 8 | u64::from(*byte);
        let mut buffer = [0; 8192];
        let mut rest = len;
        while rest > 0 {
            let piece = &mut buffer[..rest.min(8192) as usize];
            self.fill(piece)?;
            rest -= piece.len() as u64;
            for bytes in piece.chunks_exact(width as usize) {
                let each = bytes.iter();
                let raw = if self.big_endian { each.fold(0, push) } else { each.rfold(0, push) };
                let number = match kind {
                    7 => f64::from(f32::from_bits(raw as u32)),
                    9 => f64::from_bits(raw),
                    1 | 3 | 5 | 12 => ((raw << unused).cast_signed() >> unused) as f64,
                    _ => raw as f64,
                };
                let exact = !matches!(kind, 12 | 13) || number.abs() < 9_007_199_254_740_992.0;
                self.expect(exact, "has a 64-bit integer beyond 2^53, which a double cannot hold")?;
                numbers.push(number);
            }
        }
        self.skip(padding)?;
        Ok(numbers)
    }

    /// The rows of a char matrix.
    fn lines(&mut self, rows: u64, columns: u64) -> Result<Vec<String>> {
        let letters = self.numbers(Some(rows * columns))?;
        self.spent += 8 * rows * columns; // up to 4 bytes a letter, twice that while a string grows
        let mut lines = self.reserve(rows)?;
        for row in 0..rows as usize {
            let letters = (0..columns as usize).map(|column| letters[column * rows as usize + row] as u32);
            let line: Option<String> = if letters.clone().all(|letter| letter <= 0xffff) {
                char::decode_utf16(letters.map(|letter| letter as u16)).map(std::result::Result::ok).collect()
            } else {
                letters.map(char::from_u32).collect()
            };
            let line = line.ok_or_else(|| self.bad(format_args!("row {} is not valid Unicode", row + 1)))?;
            lines.push(if rows > 1 { line.trim_end_matches([' ', '\0']).to_string() } else { line });
        }
        Ok(lines)
    }

    /// The cells of a cell array of strings.
    fn strings(&mut self, count: u64) -> Result<Vec<String>> {
        self.expect(count <= self.left / 8, format_args!("announces {count} cells in {} bytes", self.left))?;
        let mut strings = self.reserve(count)?;
        for index in 1..=count {
            let (kind, len, _) = self.tag()?;
            self.expect(kind == MATRIX, format_args!("cell {index} is not an array"))?;
            let outside = self.left - len;
            self.left = len;
            let mut string = String::new();
            if len > 0 {
                let header = self.header()?;
                let (CHAR, &[rows @ 0..=1, columns]) = (header.class, &header.sizes[..]) else {
                    return Err(self.bad(format_args!("cell {index} must be a string, is {}", header.shape)));
                };
                string = self.lines(rows, columns)?.pop().unwrap_or_default();
            }
            strings.push(string);
            self.skip(self.left)?;
            self.left = outside;
        }
        Ok(strings)
    }

    /// A matrix in compressed columns, written out; entries at the same place add up, as in SciPy.
    fn sparse(&mut self, rows: u64, columns: u64) -> Result<Vec<f64>> {
        let mut full = self.reserve(rows * columns)?;
        let (row_of, starts) = (self.numbers(None)?, self.numbers(Some(columns + 1))?);
        let (kind, len, padding) = self.tag()?;
        // MATLAB stores logical entries as bytes, and calls them doubles.
        let bytes = starts.last() == Some(&(len as f64));
        let values = self.data((if bytes { 2 } else { kind }, len, padding), None)?;
        let entries = row_of.len().min(values.len()) as f64;
        full.resize((rows * columns) as usize, 0.0);
        for column in 0..columns as usize {
            let (from, to) = (starts[column], starts[column + 1]);
            self.expect(0.0 <= from && from <= to && to <= entries, "has damaged column starts")?;
            for entry in from as usize..to as usize {
                let row = row_of[entry];
                self.expect(0.0 <= row && row < rows as f64, "has an entry outside of its rows")?;
                full[column * rows as usize + row as usize] += values[entry];
            }
        }
        Ok(full)
    }
}

#[cfg(test)]
mod tests;
