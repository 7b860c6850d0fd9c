//! Points in plain numbers that are likely to separate thousands: `1.394` beside `864`.

use super::Notations;
use crate::context::Context;
use crate::data::cells::Cells;
use crate::data::points::Points;
use crate::data::table::Table;
use crate::error::shown;

/// Fewest whole numbers beside numbers with a point that tell, and fewest beside so many of these.
const WHOLE: usize = 10;
const FEW_WHOLE: (usize, usize) = (3, 10);

/// Fewest numbers with a point that tell, alone and where another table has whole numbers from a thousand on.
const DOTTED: (usize, usize) = (2, 1);

/// Fewest numbers with a point that are compared with those of another table.
const COMPARED: usize = 5;

/// How many times the size of the numbers with a point the whole numbers have: from hundreds on.
const TIMES: f64 = 10.0;
const HUNDREDS: f64 = 100.0;
const THOUSAND: f64 = 1000.0;

/// The numbers of a column of which each with a point is like `1.234`, by size.
struct Dotted {
    points: Vec<f64>,
    whole: Vec<f64>,
}

impl Dotted {
    fn of(table: &Table, name: &str) -> Option<Self> {
        if points(table, name) != Points::Either || table.decimal.is_some() {
            return None;
        }
        let (points, whole) = plain(table, name)?.into_iter().partition(|v| v.fract() != 0.0);
        Some(Self { points, whole })
    }

    /// Whether whole numbers beside those with a point say that these are thousands.
    fn beside(&self, others: &[(&str, Vec<f64>)]) -> bool {
        let (points, whole) = (self.points.len(), self.whole.len());
        let thousands = |(_, other): &(&str, Vec<f64>)| {
            all_whole(other) && other.last().is_some_and(|v| v.abs() >= THOUSAND)
        };
        let least = if others.iter().any(thousands) { DOTTED.1 } else { DOTTED.0 };
        let enough = whole >= WHOLE || (whole >= FEW_WHOLE.0 && points >= FEW_WHOLE.1);
        let size = middle(&self.whole);
        points >= least && enough && size >= HUNDREDS && size >= TIMES * middle(&self.points)
    }

    /// Whether they are thousands by the whole numbers of another table.
    fn like(&self, other: &[f64]) -> bool {
        let ratio = THOUSAND * middle(&self.points) / middle(other);
        let most = 2 * self.points.len() >= self.points.len() + self.whole.len();
        let size = middle(other) >= THOUSAND && (0.1..=10.0).contains(&ratio);
        self.points.len() >= COMPARED && most && size && all_whole(other)
    }
}

/// What the points in a column of plain numbers may be: labels are read as text.
fn points(table: &Table, name: &str) -> Points {
    match table.column(name).map(|column| &column.cells) {
        Some(Cells::Text { values, .. }) => {
            values.iter().fold(Points::None, |seen, value| seen.with(value.trim().as_bytes()))
        }
        _ => table.seen.get(name).map_or(Points::None, |seen| seen.points),
    }
}

/// The plain numbers of a column by size; `None` where others stand among them.
fn plain(table: &Table, name: &str) -> Option<Vec<f64>> {
    let mut numbers: Vec<f64> = match &table.column(name)?.cells {
        cells @ Cells::Numbers(_) => cells.numbers().collect(),
        Cells::Text { codes, values } => {
            let known: Vec<f64> =
                values.iter().map(|value| value.trim().parse().ok()).collect::<Option<_>>()?;
            codes.iter().filter_map(|code| known.get(*code as usize).copied()).collect()
        }
    };
    numbers.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    Some(numbers)
}

fn all_whole(numbers: &[f64]) -> bool {
    numbers.iter().all(|v| v.fract() == 0.0)
}

fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).map_or(0.0, |v| v.abs())
}

/// Warns of a column of numbers such as `1.234` that stand beside whole numbers, or are whole numbers of about a thousand
/// times the size in another table.
pub(super) fn thousands(name: &str, tables: &[&Table], context: &mut Context) {
    for (at, table) in tables.iter().enumerate() {
        let Some(here) = Dotted::of(table, name).filter(|here| !here.points.is_empty()) else { continue };
        let others = tables.iter().enumerate().filter(|(other, _)| *other != at);
        let others: Vec<(&str, Vec<f64>)> =
            others.filter_map(|(_, other)| Some((other.name.as_str(), plain(other, name)?))).collect();
        let point = here.points[0];
        let place = format!("`{}`, column `{}`: `{point:.3}` is taken for {point}", table.name, shown(name));
        if here.beside(&others) {
            let text = format!(
                "{place}, and stands beside `{}`; if the point separates thousands, say `‹decimal ,›`, and else `‹decimal .›`",
                middle(&here.whole)
            );
            context.warn("data", text);
        } else if let Some((other, there)) = others.iter().find(|(_, there)| here.like(there)) {
            let text = format!(
                "{place}, and `{other}` has whole numbers such as {} there; if the point separates thousands, say \
                 `‹decimal ,›`",
                middle(there)
            );
            context.warn("data", text);
        }
    }
}

/// The same for labels, which are read as text, by what is known of their notation.
pub(crate) fn thousands_among_labels(
    label: &str,
    tables: &[&Table],
    known: &Notations,
    context: &mut Context,
) {
    if known.get(label).is_none_or(|known| known.decimal == '.') {
        thousands(label, tables, context);
    }
}
