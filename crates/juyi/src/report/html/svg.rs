//! Drawings: each with a title and a description for those who do not see it. Colours are the style sheet's.

use std::fmt::Write;

use super::escape;
use super::numbers::signed;
use crate::measures::Estimate;
use crate::report::run::Point;

/// A drawing of `width` by `height` units. `id` is its own in the page.
fn drawing(id: &str, class: &str, size: (f64, f64), title: &str, about: &str, body: &str) -> String {
    format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-title {id}-about\">\
         <title id=\"{id}-title\">{}</title><desc id=\"{id}-about\">{}</desc>{body}</svg>",
        size.0,
        size.1,
        escape(title),
        escape(about)
    )
}

/// The part of the number line that a group of intervals shares.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// From the lowest to the highest of these numbers.
    pub(super) fn over(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for v in values.filter(|v| v.is_finite()) {
            (low, high) = (low.min(v), high.max(v));
        }
        Self { low, high }
    }

    /// A number's place, from 0 at the left end to 1 at the right one.
    fn place(self, v: f64) -> f64 {
        let place = (v - self.low) / (self.high - self.low);
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.5 }
    }
}

/// A number on its axis with its interval, a line at `reference`, and a diamond at `truth`.
pub(super) fn interval(
    id: &str,
    title: &str,
    axis: Axis,
    estimate: Estimate,
    reference: Option<f64>,
    truth: Option<f64>,
) -> String {
    const WIDTH: f64 = 160.0;
    let x = |v: f64| 8.0 + (WIDTH - 16.0) * axis.place(v);
    let Estimate { value, low, high } = estimate;
    let mut body = String::new();
    if let Some(v) = reference {
        let _ = write!(body, "<path class=\"reference\" d=\"M{:.1} 1v18\"/>", x(v));
    }
    let _ = write!(
        body,
        "<path class=\"interval\" d=\"M{:.1} 10H{:.1}\"/><circle class=\"value\" cx=\"{:.1}\" cy=\"10\" r=\"4\"/>",
        x(low),
        x(high),
        x(value)
    );
    if let Some(v) = truth {
        let _ = write!(body, "<path class=\"truth\" d=\"M{:.1} 4l6 6l-6 6l-6-6z\"/>", x(v));
    }
    let number = |v: f64| signed(v, 3, false);
    let mut about = format!("{}, 95 % interval {} to {}", number(value), number(low), number(high));
    if let Some(v) = reference {
        let _ = write!(about, "; the line stands at {}", number(v));
    }
    if let Some(v) = truth {
        let _ = write!(about, "; the diamond, what turned out, at {}", number(v));
    }
    drawing(id, "line", (WIDTH, 20.0), title, &about, &body)
}

/// A bar from the middle to the left or right; `largest` fills a half.
pub(super) fn gain_bar(id: &str, title: &str, gain: f64, largest: f64) -> String {
    const HALF: f64 = 76.0;
    let share = gain / largest;
    let length = if share.is_finite() { HALF * share.clamp(-1.0, 1.0) } else { 0.0 };
    let class = if gain < 0.0 { "loss" } else { "win" };
    let body = format!(
        "<path class=\"reference\" d=\"M80 1v18\"/><path class=\"{class}\" d=\"M80 5h{length:.1}v10h{:.1}z\"/>",
        -length
    );
    let about = format!("{} points", signed(100.0 * gain, 1, true));
    drawing(id, "line", (160.0, 20.0), title, &about, &body)
}

/// Rows in the plane: source rows as filled circles, target rows as open triangles; both axes have one scale.
pub(super) fn scatter(id: &str, title: &str, points: &[Point]) -> String {
    const SIZE: (f64, f64) = (360.0, 300.0);
    const FRAME: (f64, f64, f64, f64) = (1.0, 30.0, 359.0, 299.0); // left, top, right, bottom
    let (x, y) = (Axis::over(points.iter().map(|p| p.x)), Axis::over(points.iter().map(|p| p.y)));
    let room = (FRAME.2 - FRAME.0 - 20.0, FRAME.3 - FRAME.1 - 20.0);
    let scale = (room.0 / (x.high - x.low)).min(room.1 / (y.high - y.low));
    let scale = if scale.is_finite() { scale } else { 0.0 };
    let place = |p: &Point| {
        let across = (p.x - f64::midpoint(x.low, x.high)) * scale + f64::midpoint(FRAME.0, FRAME.2);
        let down = f64::midpoint(FRAME.1, FRAME.3) - (p.y - f64::midpoint(y.low, y.high)) * scale;
        (across, down)
    };
    let mut marks = [String::new(), String::new()];
    for point in points {
        let (across, down) = place(point);
        let _ = if point.target {
            write!(marks[1], "<path d=\"M{:.1} {:.1}l3.4 6h-6.8z\"/>", across, down - 4.0)
        } else {
            write!(marks[0], "<circle cx=\"{across:.1}\" cy=\"{down:.1}\" r=\"3\"/>")
        };
    }
    let [source, target] = marks;
    let body = format!(
        "<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\
         <g class=\"source\">{source}<circle cx=\"6\" cy=\"14\" r=\"4\"/></g>\
         <g class=\"target\">{target}<path d=\"M76 9l5 9h-10z\"/></g>\
         <text x=\"16\" y=\"18\">source</text><text x=\"87\" y=\"18\">target</text>",
        FRAME.0,
        FRAME.1,
        FRAME.2 - FRAME.0,
        FRAME.3 - FRAME.1,
    );
    let targets = points.iter().filter(|point| point.target).count();
    let about = format!(
        "Scatter plot: {} source rows as filled circles, {targets} target rows as open triangles",
        points.len() - targets
    );
    drawing(id, "scatter", SIZE, title, &about, &body)
}

/// Numbers one after another.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) values: Vec<f64>,
}

/// A line for each row of numbers, the first whole, the second dashed, on one scale that includes all.
pub(super) fn lines(id: &str, title: &str, lines: &[Line; 2]) -> String {
    const SIZE: (f64, f64) = (360.0, 200.0);
    const FRAME: (f64, f64, f64, f64) = (44.0, 26.0, 352.0, 190.0); // left, top, right, bottom
    let axis = Axis::over(lines.iter().flat_map(|line| line.values.iter().copied()));
    let (mut body, mut about) = (String::new(), String::new());
    let _ = write!(
        body,
        "<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
        FRAME.0,
        FRAME.1,
        FRAME.2 - FRAME.0,
        FRAME.3 - FRAME.1
    );
    for (v, y) in [(axis.high, FRAME.1 + 10.0), (axis.low, FRAME.3)] {
        let _ = write!(
            body,
            "<text class=\"mark\" x=\"{}\" y=\"{y}\">{}</text>",
            FRAME.0 - 4.0,
            signed(v, 2, false)
        );
    }
    for (k, Line { name, values }) in lines.iter().enumerate().filter(|(_, line)| !line.values.is_empty()) {
        let steps = (values.len() - 1).max(1) as f64;
        let x = |at: usize| FRAME.0 + 6.0 + (FRAME.2 - FRAME.0 - 12.0) * at as f64 / steps;
        let y = |v: f64| FRAME.3 - 6.0 - (FRAME.3 - FRAME.1 - 12.0) * axis.place(v);
        let places: Vec<String> =
            values.iter().enumerate().map(|(at, &v)| format!("{:.1} {:.1}", x(at), y(v))).collect();
        let class = ["source", "target"][k];
        let left = FRAME.0 + 110.0 * k as f64;
        let _ = write!(
            body,
            "<path class=\"curve {class}\" d=\"M{}\"/><path class=\"curve {class}\" d=\"M{left} 14h24\"/>\
             <text x=\"{}\" y=\"18\">{}</text>",
            places.join("L"),
            left + 30.0,
            escape(name)
        );
        let number = |v: Option<&f64>| v.map_or_else(String::new, |v| signed(*v, 3, false));
        let _ = write!(about, "{name}: from {} to {}; ", number(values.first()), number(values.last()));
    }
    let id = id.replace([' ', '%'], "-");
    drawing(&id, "curves", SIZE, title, about.trim_end_matches("; "), &body)
        + &format!("<figcaption>{}</figcaption>", escape(title))
}
