//! A method's page: the head of its file, for people who read no Rust.

use crate::heads::{head, page};
use crate::params::markdown;
use std::fmt::Write;

use super::METHODS;
use super::registry::{CLASSIFICATIONS, MethodRow};

impl MethodRow {
    /// The head of the method's file: what it does, when to use it and when it hurts, the paper, the equations, where we
    /// differ, what it costs. Paragraphs are parted by empty lines, equations stand between lines of three backticks.
    pub fn head(&self) -> String {
        head(self.source)
    }

    /// The method's page in Markdown, where a front end has yet to word [settings](crate::setting); `docs/methods/` holds
    /// them all.
    pub fn page(&self) -> String {
        let mut out = page(self.name, &self.head());
        let learner = if self.trains_learner {
            format!("trains any learner, by default `{}`", self.learner)
        } else {
            format!("trains no learner; the baseline beside it is `{}`", self.learner)
        };
        let _ = write!(out, "\n**In short.** Family `{}`; {}; {learner}", self.family, self.tasks());
        if self.needs.requires_target_labels() {
            out.push_str("; needs labelled target rows (`‹target-labels use›`)");
        }
        if self.needs.serves_models() {
            out.push_str("; works from a source's model without its rows");
        }
        if self.grid.all().is_empty() {
            out.push_str("; `auto` leaves it out");
        }
        out.push_str(".\n");
        out += &markdown(&(self.params)());
        let _ = write!(
            out,
            "\n```sh\njuyi transfer ‹source old.csv› ‹target new.csv› ‹label y› ‹method {}›",
            self.name
        );
        if self.needs.requires_target_labels() {
            out.push_str(" ‹target-labels use›");
        }
        out.push_str("\n```\n");
        out
    }
}

/// The list of all pages in Markdown, by family, to be worded as these: `docs/methods/README.md`.
pub fn list_of_pages() -> String {
    let mut out = String::from(
        "# Methods, learners, measures\n\nOne page each: what it does, when to use it and when it hurts, the equations, the cost, the \
         parameters. Written by `juyi methods ‹pages docs/methods›`.\n\n[The methods by scenario, by what is carried over, by strategy and \
         by task](classifications.md) · [迁移方法的四种分类](classifications.md)\n",
    );
    let mut family = None;
    for row in METHODS {
        if Some(row.family.name()) != family {
            family = Some(row.family.name());
            let _ = write!(out, "\n## {}\n\n", row.family);
        }
        let _ = writeln!(out, "- [{}]({}.md): {}", row.name, row.name, row.summary);
    }
    out
}

/// The four classifications of the methods in Markdown, in English and Chinese, to be worded as the pages:
/// `docs/methods/classifications.md`.
pub fn classifications_page() -> String {
    let mut out = String::from(
        "# Four classifications of the methods · 迁移方法的四种分类\n\nMade from what each method says of itself by `juyi \
         methods ‹pages docs/methods›`; `juyi methods ‹by object›` prints one of them. A method may be in several groups.\n\n\
         由 `juyi methods ‹pages docs/methods›` 根据各方法的自述生成；`juyi methods ‹by object›` 只列出其中一种分类。一个方法可以同时属于几组。\n",
    );
    for classification in CLASSIFICATIONS {
        let ([english, chinese], [about, about_chinese]) = (classification.name, classification.about);
        let _ = write!(out, "\n## {english} · {chinese}\n\n{about}\n\n{about_chinese}\n");
        for group in classification.groups {
            let ([english, chinese], [about, about_chinese]) = (group.name, group.about);
            let _ = write!(out, "\n### {english} · {chinese}\n\n{about}\n\n{about_chinese}\n\n");
            let links: Vec<String> =
                group.methods().iter().map(|row| format!("[{0}]({0}.md)", row.name)).collect();
            let _ = match links.len() {
                0 => writeln!(out, "No method so far. 目前还没有这类方法。"),
                n if n == METHODS.len() => writeln!(out, "All methods. 所有方法。"),
                _ => writeln!(out, "{}", links.join(", ")),
            };
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_parts() {
        for row in METHODS {
            let page = row.page();
            for part in ["**When**:", "**Paper**:", "**Cost**:", "**In short.**"] {
                assert_eq!(page.matches(part).count(), 1, "{}: {part}", row.name);
            }
            assert!(page.matches("```").count() % 2 == 0 && !page.contains("[`"), "{}", row.name);
        }
    }
}
