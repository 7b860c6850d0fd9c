//! Which classes are taken for which, what each gained, and pictures of right and wrong rows.

use std::fmt::Write;

use super::escape;
use super::numbers::points;
use super::picture::{image, photograph};
use super::svg::gain_bar;
use super::table::{Cell, table};
use crate::report::run::{Confusion, Photograph, Picture, Run, Shown};
use crate::report::text::thousands;

/// The confusion of the method and of not transferring, then the gain of each class.
pub(super) fn classes(run: &Run) -> String {
    let Some(confusion) = &run.figures.confusion else { return String::new() };
    let mut out = String::from("<div class=\"pair heats\">\n");
    if let Some(counts) = &confusion.baseline {
        out.push_str(&heat("not transferring", &confusion.classes, counts));
    }
    out.push_str(&heat(run.transfer.chosen.title(), &confusion.classes, &confusion.chosen));
    out.push_str("</div>\n<p class=\"caption\">Rows are true classes, columns predicted ones; shading is the share of the row, ");
    out.push_str("outlined cells are right answers.</p>\n");
    out + &gains(run.transfer.chosen.title(), confusion)
}

fn heat(method: &str, classes: &[String], counts: &[Vec<usize>]) -> String {
    let name = escape(&format!("Confusion of {method}"));
    let mut out = format!(
        "<figure><figcaption><strong>{}</strong></figcaption>\n<div class=\"scroll\" role=\"region\" \
         aria-label=\"{name}\" tabindex=\"0\"><table class=\"heat\" aria-label=\"{name}\">\n\
         <thead><tr><th scope=\"col\">true</th>",
        escape(method)
    );
    for class in classes {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(class));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (c, (class, row)) in classes.iter().zip(counts).enumerate() {
        let all = total(row);
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escape(class));
        for (k, count) in row.iter().enumerate() {
            let class = if k == c { " class=\"right\"" } else { "" };
            let _ = match count {
                0 => write!(out, "<td{class}></td>"),
                n => write!(out, "<td{class} style=\"--share:{:.3}\">{n}</td>", *n as f64 / all),
            };
        }
        out.push_str("</tr>\n");
    }
    out + "</tbody></table></div></figure>\n"
}

/// The number of rows; not below 1, so that it can divide.
fn total(row: &[usize]) -> f64 {
    row.iter().map(|count| *count as f64).sum::<f64>().max(1.0)
}

/// The share of each class's rows that is right.
fn recalls(counts: &[Vec<usize>]) -> Vec<f64> {
    let recall = |(c, row): (usize, &Vec<usize>)| row.get(c).map_or(0.0, |n| *n as f64 / total(row));
    counts.iter().enumerate().map(recall).collect()
}

fn gains(method: &str, confusion: &Confusion) -> String {
    let after = recalls(&confusion.chosen);
    let before = confusion.baseline.as_ref().map(|counts| recalls(counts));
    let largest = before.iter().flatten().zip(&after).map(|(b, a)| (a - b).abs()).fold(0.0, f64::max);
    let share = |v: f64| Cell::number(&format!("{:.1}\u{a0}%", 100.0 * v), v);
    let mut rows = Vec::new();
    for (c, (class, counts)) in confusion.classes.iter().zip(&confusion.chosen).enumerate() {
        let count = counts.iter().fold(0, |sum: usize, n| sum.saturating_add(*n));
        if count == 0 {
            continue; // the class does not occur: nothing could be right
        }
        let mut row = vec![Cell::text(class), Cell::number(&thousands(count), count as f64)];
        if let Some(before) = before.as_ref().and_then(|before| before.get(c)) {
            let gain = after[c] - before;
            let bar = gain_bar(&format!("class-{c}"), &format!("Gain of class {class}"), gain, largest);
            row.extend([share(*before), share(after[c]), Cell::number(&points(gain), gain)]);
            row.push(Cell::drawing(bar, gain));
        } else {
            row.push(share(after[c]));
        }
        rows.push(row);
    }
    let with = format!("right with {method}");
    let headings: &[&str] = match before {
        Some(_) => &["class", "rows", "right without transfer", &with, "gain, points", "gain"],
        None => &["class", "rows", &with],
    };
    format!("<h3>Each class by itself</h3>\n{}", table("Each class by itself", headings, &rows))
}

/// Rows as pictures: right ones, wrong ones.
pub(super) fn pictures(run: &Run) -> String {
    let (right, wrong): (Vec<&Picture>, Vec<&Picture>) =
        run.figures.pictures.iter().partition(|picture| picture.truth == picture.predicted);
    let mut out = String::new();
    for (title, pictures) in [("Right", right), ("Wrong", wrong)] {
        if pictures.is_empty() {
            continue;
        }
        let _ = writeln!(out, "<h3>{title}</h3>\n<ul class=\"pictures\">");
        for picture in pictures {
            let (truth, said) = (escape(&picture.truth), escape(&picture.predicted));
            let text = if truth == said { truth } else { format!("{truth} <span>taken for</span> {said}") };
            let _ = writeln!(out, "<li>{}<p>{text}</p></li>", image(picture));
        }
        out.push_str("</ul>\n");
    }
    out
}

/// Photographs: right ones, wrong ones, those that the model is least sure of.
pub(super) fn photographs(run: &Run) -> String {
    let mut out = String::new();
    for (title, shown) in [("Right", Shown::Right), ("Wrong", Shown::Wrong), ("Least sure", Shown::LeastSure)]
    {
        let own: Vec<&Photograph> =
            run.figures.photographs.iter().filter(|photograph| photograph.shown == shown).collect();
        if own.is_empty() {
            continue;
        }
        let _ = writeln!(out, "<h3>{title}</h3>\n<ul class=\"photographs\">");
        for one in own {
            let (truth, said) = (escape(&one.truth), escape(&one.predicted));
            let text = if truth == said { truth } else { format!("{truth} <span>taken for</span> {said}") };
            let sure = 100.0 * one.confidence;
            let _ = writeln!(
                out,
                "<li>{}<p>{text}<small>{sure:.0}\u{a0}% sure</small></p></li>",
                photograph(one)
            );
        }
        out.push_str("</ul>\n");
    }
    out
}
