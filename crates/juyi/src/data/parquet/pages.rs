//! The pages of a column chunk, unpacked within a bound.
//!
//! The crate allocates what a page's header claims and unpacks gzip and Brotli without end. So it is told that nothing
//! is packed, and the pages are unpacked here, each byte charged before it is kept.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use crate::error::Error;

/// What a value of a dictionary takes in memory, beside its bytes.
const VALUE: u64 = 64;

/// The pages of a column chunk.
pub(super) struct Pages {
    packed: SerializedPageReader<Bytes>,
    codec: Compression,
    thing: String,
    budget: u64,
    spent: u64,
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
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let end = start.checked_add(chunk.compressed_size()).and_then(|end| usize::try_from(end).ok());
        if start < 0 || chunk.compressed_size() < 0 || end.is_none_or(|end| end > file.len()) {
            return Err(ParquetError::General("a column chunk lies outside of the file".into()));
        }
        let codec = chunk.compression();
        let plain = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        let packed = SerializedPageReader::new(Arc::new(file.clone()), &plain, rows, None)?;
        Ok(Self { packed, codec, thing: thing.into(), budget, spent: 0 })
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
                Err(ParquetError::NYI(format!("{other} pages are not read; write snappy, gzip or zstd")))
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
        if let Page::DictionaryPage { buf, num_values, .. } = &page {
            if *num_values as usize > buf.len() {
                let (claimed, there) = (*num_values, buf.len());
                let text = format!("a dictionary of {claimed} values has {there} bytes");
                return Err(ParquetError::General(text));
            }
            self.charge(VALUE * u64::from(*num_values))?;
        }
        Ok(page)
    }
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
