//! The run as one page: a pure function of the record, self-contained, without a request to anywhere.
//!
//! Everything that comes from files is escaped by [`escape`] or [`prose`]; should a page break that rule, its policy
//! still runs no script but ours.

mod choice;
mod curves;
mod domains;
mod numbers;
mod picture;
mod record;
mod scatter;
mod scores;
mod svg;
mod table;
mod verdict;
mod worth;

pub use picture::base64;

use super::run::Run;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/sort.js");

/// What the policy calls [`SCRIPT`]: `openssl dgst -sha256 -binary sort.js | base64`. The browser test sees to it.
const SCRIPT_HASH: &str = "sha256-/56WMh3V93yTpRcJq2p9UU6ItbRjnGw8iWHumFAt/oU=";

/// The page `report.html`.
pub fn html(run: &Run) -> String {
    let title = format!("Juyi: {} on {}", run.transfer.chosen.title(), run.data.target.name);
    let sections = [
        section("Data", &domains::domains(run)),
        section("How far apart", &domains::distances(run)),
        section("What has moved", &domains::moved(run)),
        section("Candidates", &choice::candidates(run)),
        section("What the network is worth", &worth::worth(run)),
        section("Before and after", &scatter::before_and_after(run)),
        section("Class by class", &scores::classes(run)),
        section("Learning", &curves::curves(run)),
        section("Samples", &(scores::pictures(run) + &scores::photographs(run))),
        section("Record", &record::record(run)),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src '{SCRIPT_HASH}'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}{}</main>\n\
         <footer>Juyi {}. Tables sort by a click on a heading.</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        escape(&title),
        verdict::verdict(run),
        sections.concat(),
        escape(&run.version),
    )
}

/// A section with its heading; nothing where there is nothing to say.
fn section(title: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("<section>\n<h2>{title}</h2>\n{body}</section>\n") }
}

/// Text that stands for itself anywhere in the page: no markup, no control or direction character.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A sentence, escaped; what it has in backquotes is set as code.
fn prose(text: &str) -> String {
    let parts: Vec<String> = text.split('`').map(escape).collect();
    if parts.len().is_multiple_of(2) {
        return parts.join("`"); // a backquote without a partner
    }
    let set = |(k, part): (usize, &String)| {
        if k % 2 == 1 { format!("<code>{part}</code>") } else { part.clone() }
    };
    parts.iter().enumerate().map(set).collect()
}

#[cfg(test)]
mod tests;
