//! The headers of the pages of a column chunk, before the crate sees them.
//!
//! The crate does not look at the types that a header claims, and can be made to count to 2^31 for each of its bytes. So a
//! header must have the fields that the format gives it, of the types that it gives them, and nothing else.
//!
//! Format: Apache Parquet, `parquet.thrift`, `PageHeader`.

use super::thrift::{BINARY, FALSE, LONG, NUMBER, STOP, STRUCT, TRUE, Thrift};

#[derive(Clone, Copy)]
enum Structure {
    Page,
    Data,
    Index,
    Dictionary,
    DataV2,
    Statistics,
}
use Structure::{Data, DataV2, Dictionary, Index, Page, Statistics};

/// Whether the chunk consists of whole pages with sound headers.
pub(super) fn are_sound(chunk: &[u8]) -> bool {
    let mut rest = Thrift(chunk);
    while !rest.0.is_empty() {
        let Some(packed) = fields(&mut rest, Page) else { return false };
        if rest.take(packed).is_none() {
            return false;
        }
    }
    true
}

/// Passes over the fields of a structure; the length of the page behind its header.
fn fields(header: &mut Thrift, structure: Structure) -> Option<usize> {
    let (mut id, mut packed) = (0, 0);
    loop {
        let kind = header.field(&mut id)?;
        match (kind, structure, id) {
            (STOP, ..) => return Some(packed),
            (STRUCT, Page, 5) => drop(fields(header, Data)?),
            (STRUCT, Page, 6) => drop(fields(header, Index)?),
            (STRUCT, Page, 7) => drop(fields(header, Dictionary)?),
            (STRUCT, Page, 8) => drop(fields(header, DataV2)?),
            (STRUCT, Data, 5) | (STRUCT, DataV2, 8) => drop(fields(header, Statistics)?),
            (NUMBER, Page, 3) => {
                let folded = header.varint()?; // even for numbers that are not negative
                packed = usize::try_from(folded / 2).ok().filter(|_| folded % 2 == 0)?;
            }
            (NUMBER, Page | Data, 1..=4)
            | (NUMBER, Dictionary, 1..=2)
            | (NUMBER, DataV2, 1..=6)
            | (LONG, Statistics, 3..=4) => drop(header.varint()?),
            (BINARY, Statistics, 1 | 2 | 5 | 6) => drop(header.binary()?),
            (TRUE | FALSE, Dictionary, 3) | (TRUE | FALSE, DataV2, 7) | (TRUE | FALSE, Statistics, 7..=8) => {
            }
            _ => return None,
        }
    }
}
