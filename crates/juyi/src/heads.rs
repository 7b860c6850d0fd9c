//! The head of a source file, which is the page of the method, learner or measure in it.

use std::fmt::Write;

/// The text of the comment that a file begins with, without links to code.
pub(crate) fn head(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let text: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    without_links(&text.join("\n")) + "\n"
}

/// How the paragraphs of a head begin.
const PARTS: [&str; 5] = ["When:", "Paper:", "Where we differ:", "Differs from the paper:", "Cost:"];

/// A page in Markdown: its title, and a head with the begins of its paragraphs set off.
pub(crate) fn page(title: &str, head: &str) -> String {
    let mut out = format!("# {title}\n\n");
    let mut in_equation = false;
    for line in head.lines() {
        in_equation ^= line.starts_with("```");
        let part = PARTS.iter().find(|part| !in_equation && line.starts_with(**part));
        let _ = match part {
            Some(part) => writeln!(out, "**{}**{}", part.trim_end_matches(':'), &line[part.len() - 1..]),
            None => writeln!(out, "{line}"),
        };
    }
    out
}

/// Links of the source's documentation as plain code: ``[`a::b::X`]`` is `` `X` ``.
pub(crate) fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("[`") {
        let Some(end) = rest[at..].find("`]") else { break };
        out.push_str(&rest[..at]);
        let path = &rest[at + 2..at + end];
        let name = path.rsplit("::").next().unwrap_or(path);
        let _ = write!(out, "`{name}`");
        rest = &rest[at + end + 2..];
        if let Some(target) = rest.strip_prefix('(') {
            rest = target.find(')').map_or(rest, |close| &target[close + 1..]);
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_plain_code() {
        let text = "see [`a::b::Embedding`] and [`Task`](a::Task), [1] stays [`open";
        assert_eq!(without_links(text), "see `Embedding` and `Task`, [1] stays [`open");
    }
}
