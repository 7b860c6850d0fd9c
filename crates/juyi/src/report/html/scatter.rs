//! Both domains in the plane, before the method and after it.

use std::fmt::Write;

use super::numbers::significant;
use super::svg::scatter;
use crate::report::run::{Point, Run};

/// The two pictures, side by side where there is room.
pub(super) fn before_and_after(run: &Run) -> String {
    let (before, after) = (&run.figures.before, &run.figures.after);
    if before.is_empty() {
        return String::new();
    }
    let mut out = String::from("<div class=\"pair\">\n");
    out.push_str(&figure("before", "Before", "as they come out of the preprocessing", before));
    if !after.is_empty() {
        out.push_str(&figure("after", "After", "as the learner sees them", after));
    }
    out.push_str("</div>\n");
    if after.is_empty() {
        out.push_str("<p class=\"caption\">The method moves no rows, so there is no picture after it.</p>\n");
    }
    out
}

fn figure(id: &str, title: &str, what: &str, points: &[Point]) -> String {
    let targets = points.iter().filter(|point| point.target).count();
    let mut caption = format!(
        "<strong>{title}:</strong> {} source and {targets} target rows {what}, in the plane of their largest variance.",
        points.len() - targets
    );
    if let Some(apart) = centres_apart(points) {
        let _ = write!(caption, " The centres are {} spreads apart.", significant(apart));
    }
    let drawing = scatter(id, &format!("Source and target rows: {}", title.to_lowercase()), points);
    format!("<figure>{drawing}<figcaption>{caption}</figcaption></figure>\n")
}

/// The distance of the two centres, in units of the rows' root mean squared distance from their own centre.
fn centres_apart(points: &[Point]) -> Option<f64> {
    let centre = |target: bool| {
        let of: Vec<&Point> = points.iter().filter(|point| point.target == target).collect();
        let mean = |value: fn(&Point) -> f64| of.iter().map(|p| value(p)).sum::<f64>() / of.len() as f64;
        (mean(|p| p.x), mean(|p| p.y))
    };
    let (source, target) = (centre(false), centre(true));
    let distance = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).hypot(a.1 - b.1);
    let own = |p: &Point| distance((p.x, p.y), if p.target { target } else { source }).powi(2);
    let spread = (points.iter().map(own).sum::<f64>() / points.len() as f64).sqrt();
    Some(distance(source, target) / spread).filter(|apart| apart.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centres_by_hand() {
        let point = |x: f64, y: f64, target: bool| Point { x, y, target, class: None };
        let points = [(-1.0, 0.0, false), (1.0, 0.0, false), (3.0, 3.0, true), (3.0, 5.0, true)];
        let points = points.map(|(x, y, target)| point(x, y, target));
        assert_eq!(centres_apart(&points), Some(5.0));
        assert_eq!(centres_apart(&points[..2]), None);
        assert_eq!(centres_apart(&[point(1.0, 1.0, false), point(1.0, 1.0, true)]), None);
    }
}
