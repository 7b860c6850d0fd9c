//! A first look at the end of a Parquet file, before the crate sees it.
//!
//! The crate turns the schema into a tree and recurses as deep as the file says, which could overflow the stack. Tables
//! with one value a cell have a flat schema, so that anything deeper is refused here, by name.
//!
//! Format: Apache Parquet, `parquet.thrift`, in Thrift's compact protocol.

use super::thrift::{BINARY, LIST, NUMBER, STOP, STRUCT, Thrift};
use crate::error::{Error, Result, shown};

/// Checks that this is a Parquet file with a flat schema but for columns that are left out, and says how long its footer is.
///
/// # Errors
/// [`Error::Input`].
pub(super) fn check(name: &str, file: &[u8], left_out: &dyn Fn(&str) -> bool) -> Result<u64> {
    let fail = |problem: String, hint: &str| Err(Error::input(format!("`{name}`"), problem, hint));
    let (body, Some(b"PAR1")) = (file.strip_prefix(b"PAR1").unwrap_or_default(), file.last_chunk::<4>())
    else {
        let hint = "write it with `to_parquet` of pandas, without encryption";
        return fail("is not a Parquet file, or is cut off".into(), hint);
    };
    let ends = body.len().checked_sub(8).map(|at| body.split_at(at));
    let Some((body, [a, b, c, d, ..])) = ends else {
        return fail("is not a Parquet file, or is cut off".into(), "");
    };
    let length = u32::from_le_bytes([*a, *b, *c, *d]);
    let Some(at) = body.len().checked_sub(length as usize) else {
        return fail(format!("is cut off: its footer announces {length} bytes"), "");
    };
    match schema(Thrift(&body[at..]), left_out) {
        None => fail("is damaged: its footer cannot be read".into(), ""),
        Some(Schema::Flat) => Ok(u64::from(length)),
        Some(Schema::Nested(column)) => fail(
            format!("column `{}` is nested: a cell may hold one value only", shown(&column)),
            "unfold it into columns of their own before the table is written, or leave it out with `‹drop›`",
        ),
    }
}

/// Levels of a nested column that is left out: the crate recurses into them all the same.
const DEEPEST: usize = 64;

/// What a schema looks like.
enum Schema {
    Flat,
    /// The first column that has columns inside.
    Nested(String),
}

/// The shape of the schema; `None` if the footer is damaged.
fn schema(mut footer: Thrift, left_out: &dyn Fn(&str) -> bool) -> Option<Schema> {
    let mut id = 0;
    loop {
        match (footer.field(&mut id)?, id) {
            (STOP, _) => return Some(Schema::Flat),
            (LIST, 2) => {
                let (count, STRUCT) = footer.list()? else { return None };
                // How many parts are still to come of each nested column that is open; those of the table have no end.
                let mut open = vec![u64::MAX];
                let mut passed_over = false;
                for position in 0..count {
                    let (name, children) = element(&mut footer)?;
                    if position == 0 {
                        continue; // the table
                    }
                    while open.last() == Some(&0) {
                        open.pop();
                    }
                    *open.last_mut()? -= 1;
                    if open.len() == 1 {
                        passed_over = children != 0 && left_out(&name);
                    }
                    if children == 0 {
                        continue;
                    }
                    if !passed_over || open.len() > DEEPEST {
                        return Some(Schema::Nested(name));
                    }
                    // Stored with the sign in the lowest bit.
                    let parts = Some(children / 2).filter(|parts| children % 2 == 0 && *parts < count)?;
                    open.push(parts);
                }
            }
            (_, 2) => return None,
            (kind, _) => footer.skip(kind)?,
        }
    }
}

/// Name and number of children of an element of the schema.
fn element(footer: &mut Thrift) -> Option<(String, u64)> {
    let (mut id, mut name, mut children) = (0, String::new(), 0);
    loop {
        match (footer.field(&mut id)?, id) {
            (STOP, _) => return Some((name, children)),
            (BINARY, 4) => name = String::from_utf8_lossy(footer.binary()?).into_owned(),
            (NUMBER, 5) => children = footer.varint()?,
            // The crate takes the types of these for granted.
            (kind, 1..=9) if kind != NUMBER => return None,
            (kind, _) => footer.skip(kind)?,
        }
    }
}
