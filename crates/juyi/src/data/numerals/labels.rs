//! Labels that are numbers in another notation.

use std::collections::BTreeSet;

use super::{Notations, say, settle};
use crate::context::Context;
use crate::data::cells::Cells;
use crate::data::classes::plain_number;
use crate::data::notation::Amount;
use crate::data::table::Table;
use crate::error::Result;

/// From so many different numbers on, labels are likely to be amounts.
pub(crate) const AMOUNTS: usize = 20;

/// Turns the labels of the sources into numbers where one notation fits them all, and says whether they have signs of
/// percent or of a currency: few such labels are names of classes, where numbers are not `asked` for.
///
/// # Errors
/// As [`super::read_numbers`].
pub(crate) fn read_labels(
    sources: &mut [&mut Table],
    label: &str,
    asked: bool,
    context: &mut Context,
) -> Result<(Notations, bool)> {
    let cells = sources.iter().filter_map(|table| table.column(label));
    let values: BTreeSet<&String> = cells
        .flat_map(|column| match &column.cells {
            Cells::Text { values, .. } => values.as_slice(),
            Cells::Numbers(_) => &[],
        })
        .collect();
    let amounts: Option<Vec<Amount>> = values.iter().map(|value| Amount::of(value)).collect();
    let signs = |amounts: &Vec<Amount>| amounts.iter().any(|a| a.percent || a.currency.is_some());
    let signs = amounts.as_ref().is_some_and(signs);
    let settled = match amounts {
        Some(amounts) if asked || !signs || amounts.len() >= AMOUNTS => settle(label, sources, None)?,
        _ => None,
    };
    let Some((notation, example)) = settled else { return Ok((Notations::new(), false)) };
    say(&example.into_iter().collect::<Vec<_>>(), context);
    if signs && !asked {
        let text = format!(
            "`{label}` holds amounts: they are predicted as numbers (regression); `‹task classification›` takes them for \
             classes"
        );
        context.note("data", text);
    }
    Ok((notation.map(|notation| (label.to_string(), notation)).into_iter().collect(), signs))
}

/// Whether a label is a number in some notation, and no code: `1.5`, `1,5`, `12 %`, not `012`.
pub(crate) fn written_number(label: &str) -> bool {
    let label = label.trim();
    let code = label.bytes().all(|b| b.is_ascii_digit());
    plain_number(label).is_some() || (!code && Amount::of(label).is_some_and(|amount| amount.fits() != 0))
}
