//! What the report draws: some rows in the plane, which classes are taken for which, some rows as pictures.

use std::collections::HashSet;

use super::truth::Truth;
use super::{Settings, TargetLabels};
use crate::context::Context;
use crate::data::{Cells, Column, Domain, Goal, Labels, Table, Task};
use crate::error::Result;
use crate::linalg::{Matrix, column_means, multiply, select_rows, stack, symmetric_eigen};
use crate::methods::drawn;
use crate::models::{Answers, Map, apply_all};
use crate::report::{Picture, Point};

/// The drawn rows of both domains in the plane of their largest variance: `moved` are the source rows as the learner
/// saw them, those of the task unless given; `maps` bring the target rows there.
pub(super) fn scatter(task: &Task, maps: &[Map], moved: Option<Matrix>, context: &mut Context) -> Vec<Point> {
    let (source, target) = (drawn(task.source.rows()), drawn(task.target.rows()));
    let rows = source.len() + target.len();
    let need = 8 * (4 * rows * (task.columns() + rows)) as u64;
    if !context.exact_route("report", "the picture of the rows", need, "it is left out") {
        return Vec::new();
    }
    let classes: Vec<Option<usize>> =
        known_classes(&task.source, &source).chain(known_classes(&task.target, &target)).collect();
    let x = moved.unwrap_or_else(|| select_rows(task.source.features.as_ref(), &source));
    let y = apply_all(maps, select_rows(task.target.features.as_ref(), &target).as_ref());
    let plane = plane(stack(x.as_ref(), y.as_ref())).unwrap_or_default();
    let point = |(i, (x, y)): (usize, (f64, f64))| Point {
        x: four_digits(x),
        y: four_digits(y),
        target: i >= source.len(),
        class: classes[i],
    };
    plane.into_iter().enumerate().map(point).collect()
}

/// The class of each of these rows, where the method knows it.
fn known_classes<'a>(domain: &'a Domain, rows: &'a [usize]) -> impl Iterator<Item = Option<usize>> + 'a {
    rows.iter().map(|row| match &domain.labels {
        Labels::Classes(of) => domain.labelled.binary_search(row).ok().map(|at| of[at]),
        Labels::Values(_) => None,
    })
}

/// The rows in the plane of their largest variance (principal components), each axis turned so that its largest
/// coordinate is positive.
///
/// The eigenvectors are those of the smaller of `x xᵀ` and `xᵀ x`.
fn plane(mut x: Matrix) -> Result<Vec<(f64, f64)>> {
    let (n, d) = x.shape();
    let means = column_means(x.as_ref());
    let mut largest = 0.0f64;
    for (column, mean) in x.col_iter_mut().zip(means) {
        for v in column.iter_mut() {
            *v -= mean;
            largest = largest.max(v.abs());
        }
    }
    if largest == 0.0 {
        return Ok(vec![(0.0, 0.0); n]);
    }
    for column in x.col_iter_mut() {
        column.iter_mut().for_each(|v| *v /= largest); // squares of large numbers would overflow
    }
    let coordinates = if d <= n {
        let (_, axes) = symmetric_eigen(multiply(x.transpose(), x.as_ref()).as_ref())?;
        multiply(x.as_ref(), axes.get(.., ..d.min(2)))
    } else {
        let (values, vectors) = symmetric_eigen(multiply(x.as_ref(), x.transpose()).as_ref())?;
        Matrix::from_fn(n, n.min(2), |i, k| vectors[(i, k)] * values[k].max(0.0).sqrt())
    };
    let axis = |k: usize| -> Vec<f64> {
        if k >= coordinates.ncols() {
            return vec![0.0; n];
        }
        let column = coordinates.col(k);
        let farthest = column.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
        let scale = if farthest < Some(0.0) { -largest } else { largest };
        column.iter().map(|v| v * scale).collect()
    };
    Ok(axis(0).into_iter().zip(axis(1)).collect())
}

/// A number to four significant digits: as much as a figure shows.
fn four_digits(v: f64) -> f64 {
    format!("{v:.3e}").parse().unwrap_or(v)
}

/// Most classes whose confusion is recorded: the table grows with their square.
const MOST_CLASSES: usize = 100;

/// The classes of the goal, then those of the scored rows that are not among them.
pub(super) fn classes(truth: &Truth, goal: &Goal) -> Vec<String> {
    let Goal::Classes(names) = goal else { return Vec::new() };
    let mut more: Vec<String> = truth.classes().unwrap_or_default().to_vec();
    more.sort();
    more.dedup();
    let known: HashSet<&String> = names.iter().collect();
    more.retain(|class| !known.contains(class));
    [&names[..], &more].concat()
}

/// `counts[truth][predicted]` over [`classes`], where there are labels to score with and not too many classes. `known`
/// are the classes that the answers count in.
pub(super) fn confusion(
    truth: &Truth,
    goal: &Goal,
    known: &Goal,
    answers: &Answers,
) -> Option<Vec<Vec<usize>>> {
    let (true_classes, Goal::Classes(known)) = (truth.classes()?, known) else { return None };
    let classes = classes(truth, goal);
    if true_classes.is_empty() || classes.len() > MOST_CLASSES {
        return None;
    }
    let position = |name: &String| classes.iter().position(|class| class == name);
    let mut counts = vec![vec![0; classes.len()]; classes.len()];
    for (&row, class) in truth.rows.iter().zip(true_classes) {
        let said = known.get(answers.answer[row] as usize)?;
        counts[position(class)?][position(said)?] += 1;
    }
    Some(counts)
}

/// The pixels of some rows of a table whose rows are pictures.
pub(super) struct Pixels {
    /// Height and width.
    size: (usize, usize),
    /// The numbers of the rows in their table, rising.
    rows: Vec<usize>,
    /// Grey values of each row, the table's largest value as 255.
    values: Vec<Vec<u8>>,
}

impl Pixels {
    /// The longest side of a picture in a record; of a longer one every second, third, … pixel is kept.
    const LONGEST_SIDE: usize = 32;

    /// Most rows whose pixels are kept until it is known which of them are predicted right.
    const MOST_ROWS: usize = 600;

    /// Rows with a label, evenly drawn; `None` if rows are no pictures or cannot be scored.
    pub(super) fn of(table: &Table, labels: &Cells, label: &str, settings: &Settings) -> Option<Self> {
        let (height, width) = table.image.filter(|_| settings.target_labels == TargetLabels::Score)?;
        let feature = |column: &&Column| {
            column.name != label
                && !settings.id.contains(&column.name)
                && !settings.drop.contains(&column.name)
        };
        let numbers = table.columns.iter().filter(feature).map(|column| match &column.cells {
            Cells::Numbers(numbers) => Some(&numbers[..]),
            Cells::Text { .. } => None,
        });
        let columns: Vec<&[f64]> = numbers.collect::<Option<_>>()?;
        if height == 0 || width == 0 || height.checked_mul(width) != Some(columns.len()) {
            return None;
        }
        let ink = columns.iter().flat_map(|column| column.iter()).fold(0.0, |ink: f64, v| ink.max(*v));
        let step = height.max(width).div_ceil(Self::LONGEST_SIDE);
        let places: Vec<usize> = (0..height)
            .step_by(step)
            .flat_map(|i| (0..width).step_by(step).map(move |j| i * width + j))
            .collect();
        let labelled: Vec<usize> = (0..table.rows).filter(|&row| !labels.is_missing(row)).collect();
        let rows: Vec<usize> = evenly(&labelled, Self::MOST_ROWS).copied().collect();
        // The cast ends at 0 and 255; a missing pixel is 0.
        let grey = |v: f64| if ink > 0.0 { (255.0 * v / ink).round() as u8 } else { 0 };
        let values =
            rows.iter().map(|&row| places.iter().map(|&place| grey(columns[place][row])).collect()).collect();
        Some(Self { size: (height.div_ceil(step), width.div_ceil(step)), rows, values })
    }

    /// Up to twelve pictures that are predicted right and up to twelve that are not, in the order of the table. `kept`
    /// are the numbers of the predicted rows in their table.
    pub(super) fn pictures(
        &self,
        kept: &[usize],
        truth: &Truth,
        known: &Goal,
        answers: &Answers,
    ) -> Vec<Picture> {
        const MOST: usize = 12;
        let (Some(classes), Goal::Classes(known)) = (truth.classes(), known) else { return Vec::new() };
        let (mut right, mut wrong) = (Vec::new(), Vec::new());
        for (&predicted, class) in truth.rows.iter().zip(classes) {
            let row = kept[predicted];
            if let (Ok(at), Some(said)) =
                (self.rows.binary_search(&row), known.get(answers.answer[predicted] as usize))
            {
                let picture = (at, row, class, said);
                if class == said { &mut right } else { &mut wrong }.push(picture);
            }
        }
        let picture = |&(at, row, truth, predicted): &(usize, usize, &String, &String)| Picture {
            row: row + 1,
            size: self.size,
            pixels: self.values[at].clone(),
            truth: truth.clone(),
            predicted: predicted.clone(),
        };
        evenly(&right, MOST).chain(evenly(&wrong, MOST)).map(picture).collect()
    }
}

/// Up to `most` of all, evenly spread.
fn evenly<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    let count = all.len().min(most);
    (0..count).map(move |i| &all[i * all.len() / count])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn the_plane_by_hand() {
        // Along (3, 4) from -10 to 10, across it ±1; the same in a space of more columns than rows.
        let rows = [(-6.0, -8.0), (6.0, 8.0), (0.8, -0.6), (-0.8, 0.6)];
        for width in [2, 9] {
            let x = Matrix::from_fn(4, width, |i, j| match j {
                0 => 1e80 * rows[i].0,
                1 => 1e80 * rows[i].1,
                _ => 7.0,
            });
            let plane = plane(x).unwrap();
            for ((x, y), (a, b)) in plane.iter().zip([(-10.0, 0.0), (10.0, 0.0), (0.0, 1.0), (0.0, -1.0)]) {
                let sign = -plane[0].0.signum();
                assert!((sign * x / 1e80 - a).abs() < 1e-9 && (y.abs() / 1e80 - f64::abs(b)).abs() < 1e-9);
            }
        }
        assert_eq!(plane(from_rows(&[vec![3.0], vec![3.0]])).unwrap(), [(0.0, 0.0), (0.0, 0.0)]);
        assert_eq!(four_digits(-12.34567), -12.35);
    }

    fn digits(pixels: &[[f64; 4]], labels: [&str; 3]) -> (Table, Cells) {
        let labels = Cells::Text { codes: vec![0, 1, 2], values: labels.map(str::to_string).to_vec() };
        let numbers = |j: usize| Cells::Numbers(pixels.iter().map(|row| row[j]).collect());
        let mut columns: Vec<Column> =
            (0..4).map(|j| Column { name: format!("p{j}"), cells: numbers(j) }).collect();
        columns.push(Column { name: "digit".into(), cells: labels.clone() });
        let table = Table { name: "t".into(), rows: 3, columns, image: Some((2, 2)), ..Table::default() };
        (table, labels)
    }

    #[test]
    fn pictures_and_confusion_are_made_of_the_scored_rows() {
        let pixels = [[0.0, 8.0, 16.0, f64::NAN], [1.0, 0.0, 0.0, 0.0], [0.0, -4.0, 4.0, 0.0]];
        let (table, labels) = digits(&pixels, ["3", "8", "9"]);
        let kept = Pixels::of(&table, &labels, "digit", &Settings::default()).unwrap();
        let goal = Goal::Classes(vec!["3".into(), "8".into()]);
        let truth = Truth::new(&labels, &[0, 2], &goal, &table, &Context::default()).unwrap();
        let answers = Answers { answer: vec![0.0, 1.0], confidence: vec![], scores: None };
        let pictures = kept.pictures(&[0, 2], &truth, &goal, &answers);
        assert_eq!((pictures.len(), pictures[0].row, pictures[1].row), (2, 1, 3));
        assert_eq!((&pictures[0].pixels[..], pictures[0].size), (&[0, 128, 255, 0][..], (2, 2)));
        assert_eq!((pictures[1].truth.as_str(), pictures[1].predicted.as_str()), ("9", "8"));
        assert_eq!(classes(&truth, &goal), ["3", "8", "9"]);
        let counts = confusion(&truth, &goal, &goal, &answers).unwrap();
        assert_eq!(counts, [[1, 0, 0], [0, 0, 0], [0, 1, 0]]);
    }

    #[test]
    fn rows_that_are_no_pictures_are_not_shown() {
        let (mut table, labels) = digits(&[[0.0; 4]; 3], ["3", "8", "9"]);
        let without = Settings { drop: vec!["p1".into()], ..Settings::default() };
        assert!(Pixels::of(&table, &labels, "digit", &without).is_none());
        table.image = None;
        assert!(Pixels::of(&table, &labels, "digit", &Settings::default()).is_none());
    }

    #[test]
    fn rows_are_drawn_evenly() {
        assert_eq!(evenly(&[1, 2, 3, 4, 5], 2).collect::<Vec<_>>(), [&1, &3]);
        assert_eq!(evenly(&[1, 2], 3).count(), 2);
        assert_eq!(evenly::<usize>(&[], 3).count(), 0);
    }
}
