//! The pages of a column chunk, unpacked within a bound.
//!
//! The crate allocates what a page's header claims and unpacks gzip and Brotli without end. So it is told that nothing
//! is packed, and the pages are unpacked here, each byte charged before it is kept.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use super::headers;
use super::thrift::Thrift;
use crate::error::Error;

/// What a value of a dictionary takes in memory, beside its bytes.
const VALUE: u64 = 64;

/// Most integers in a block of delta encoding; writers put 128 to 1024 there.
const LARGEST_BLOCK: u64 = 1 << 16;

/// The pages of a column chunk.
pub(super) struct Pages {
    packed: SerializedPageReader<Bytes>,
    codec: Compression,
    thing: String,
    budget: u64,
    spent: u64,
    /// Whether cells may be missing.
    optional: bool,
    /// Whether there was a dictionary.
    dictionary: bool,
}

impl Pages {
    /// The pages of a chunk of `rows` rows; `thing` is what messages call it, `budget` the most bytes that the pages may
    /// take together.
    pub(super) fn new(
        file: &Bytes,
        chunk: &ColumnChunkMetaData,
        rows: usize,
        thing: &str,
        budget: u64,
    ) -> Result<Self> {
        let fail = |text: &str| Err(ParquetError::General(text.into()));
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let end = start.checked_add(chunk.compressed_size());
        let range = usize::try_from(start).ok().zip(end.and_then(|end| usize::try_from(end).ok()));
        let Some(stored) = range.and_then(|(start, end)| file.get(start..end)) else {
            return fail("a column chunk lies outside of the file");
        };
        if !headers::are_sound(stored) {
            return fail("the headers of its pages make no sense");
        }
        let codec = chunk.compression();
        let plain = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        let optional = chunk.column_descr().max_def_level() > 0;
        let packed = SerializedPageReader::new(Arc::new(file.clone()), &plain, rows, None)?;
        Ok(Self { packed, codec, thing: thing.into(), budget, spent: 0, optional, dictionary: false })
    }

    /// Charges bytes before they are allocated.
    fn charge(&mut self, bytes: u64) -> Result<()> {
        self.spent = self.spent.saturating_add(bytes);
        if self.spent > self.budget {
            let what = format!("unpacking {}", self.thing);
            let error = Error::Memory { what, need: self.spent, budget: self.budget };
            return Err(ParquetError::External(Box::new(error)));
        }
        Ok(())
    }

    /// An error in our own words, on its way through the crate.
    fn refuse(&self, problem: &str, hint: &str) -> ParquetError {
        ParquetError::External(Box::new(Error::input(&self.thing, problem, hint)))
    }

    fn unpack(&mut self, packed: &[u8]) -> Result<Vec<u8>> {
        match self.codec {
            Compression::SNAPPY => {
                let length = snap::raw::decompress_len(packed).map_err(external)?;
                self.charge(length as u64)?;
                snap::raw::Decoder::new().decompress_vec(packed).map_err(external)
            }
            Compression::LZ4_RAW => {
                // The length is not stored; a byte can stand for at most 255.
                let most = (packed.len() as u64).saturating_mul(255).min(self.budget - self.spent);
                let mut plain = vec![0; most as usize];
                let length = lz4_flex::block::decompress_into(packed, &mut plain).map_err(external)?;
                self.charge(length as u64)?;
                plain.truncate(length);
                Ok(plain)
            }
            Compression::GZIP(_) => self.unpack_from(flate2::bufread::MultiGzDecoder::new(packed)),
            Compression::BROTLI(_) => self.unpack_from(brotli_decompressor::Decompressor::new(packed, 4096)),
            Compression::ZSTD(_) => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(packed);
                self.unpack_from(decoder.map_err(external)?)
            }
            Compression::UNCOMPRESSED => Ok(packed.to_vec()),
            other => {
                Err(self.refuse(&format!("is packed with {other}"), "write it with snappy, gzip or zstd"))
            }
        }
    }

    fn unpack_from(&mut self, decoder: impl Read) -> Result<Vec<u8>> {
        let mut plain = Vec::new();
        decoder.take((self.budget - self.spent).saturating_add(1)).read_to_end(&mut plain)?;
        self.charge(plain.len() as u64)?;
        Ok(plain)
    }

    fn unpack_page(&mut self, mut page: Page) -> Result<Page> {
        if self.codec == Compression::UNCOMPRESSED {
            self.charge(page.buffer().len() as u64)?;
        } else {
            match &mut page {
                Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => {
                    *buf = self.unpack(buf)?.into();
                }
                Page::DataPageV2 { buf, is_compressed, def_levels_byte_len, rep_levels_byte_len, .. } => {
                    let levels = *def_levels_byte_len as usize + *rep_levels_byte_len as usize;
                    if *is_compressed && levels < buf.len() {
                        let values = self.unpack(&buf[levels..])?;
                        *buf = [&buf[..levels], &values].concat().into();
                    }
                    *is_compressed = false;
                }
            }
        }
        self.check(&page)?;
        Ok(page)
    }

    /// Refuses what the crate would believe, or panic at.
    fn check(&mut self, page: &Page) -> Result<()> {
        let fail = |text: &str| Err(ParquetError::General(text.into()));
        let (buf, encoding, num_values, levels) = match page {
            Page::DictionaryPage { buf, num_values, .. } => {
                if *num_values as usize > buf.len() {
                    return fail("a dictionary is longer than its page");
                }
                self.dictionary = true;
                return self.charge(VALUE * u64::from(*num_values));
            }
            Page::DataPage { buf, encoding, num_values, .. } => {
                // The levels of cells that may be missing, behind their length.
                let levels = match buf.first_chunk() {
                    Some(length) if self.optional => 4 + u64::from(u32::from_le_bytes(*length)),
                    _ => 0,
                };
                (buf, encoding, num_values, levels)
            }
            Page::DataPageV2 {
                buf, encoding, num_values, def_levels_byte_len, rep_levels_byte_len, ..
            } => {
                let levels = u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len);
                (buf, encoding, num_values, levels)
            }
        };
        let Some(values) = usize::try_from(levels).ok().and_then(|levels| buf.get(levels..)) else {
            return fail("the levels of a page are longer than the page");
        };
        match encoding {
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY if !self.dictionary => {
                fail("a page refers to a dictionary that is not there")
            }
            Encoding::DELTA_BINARY_PACKED if !is_sound_delta(values, *num_values) => {
                fail("the blocks of a page make no sense")
            }
            // The crate slices by lengths that it does not check.
            Encoding::DELTA_LENGTH_BYTE_ARRAY | Encoding::DELTA_BYTE_ARRAY => {
                Err(self.refuse("holds text in delta encoding", "write it plain or with a dictionary"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether integers in delta encoding, which begin with the sizes of blocks, parts of a block and the whole, are no more
/// than the page has.
fn is_sound_delta(values: &[u8], count: u32) -> bool {
    let mut header = Thrift(values);
    let sizes = [header.varint(), header.varint(), header.varint()];
    matches!(sizes, [Some(block @ ..=LARGEST_BLOCK), Some(..=LARGEST_BLOCK), Some(all)]
        if block > 0 && all <= u64::from(count))
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.packed.get_next_page()?;
        page.map(|page| self.unpack_page(page)).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.packed.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.packed.skip_next_page()
    }
}
