//! Names from files in tables: as text, whatever they hold.

use crate::error::harmless;

/// Text in a cell of a Markdown table.
pub(super) fn markdown(text: &str) -> String {
    escaped(text, |c| {
        matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '$')
            .then(|| format!("\\{c}"))
    })
}

/// Text in a cell of a LaTeX table.
pub(super) fn latex(text: &str) -> String {
    escaped(text, |c| match c {
        '\\' => Some("\\textbackslash{}".into()),
        '~' => Some("\\textasciitilde{}".into()),
        '^' => Some("\\textasciicircum{}".into()),
        '<' => Some("\\textless{}".into()),
        '>' => Some("\\textgreater{}".into()),
        '|' => Some("\\textbar{}".into()),
        '±' => Some("$\\pm$".into()),
        '²' => Some("$^2$".into()),
        '$' | '&' | '#' | '_' | '%' | '{' | '}' => Some(format!("\\{c}")),
        _ => None,
    })
}

fn escaped(text: &str, escape: impl Fn(char) -> Option<String>) -> String {
    harmless(text).chars().map(|c| escape(c).unwrap_or_else(|| c.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_makes_a_cell_or_a_command() {
        assert_eq!(markdown("a|b_c\n<i> `x` & \\"), "a\\|b\\_c\u{fffd}\\<i\\> \\`x\\` \\& \\\\");
        assert_eq!(
            latex("a_b & 5% \\x{y}^2~\n"),
            "a\\_b \\& 5\\% \\textbackslash{}x\\{y\\}\\textasciicircum{}2\\textasciitilde{}\u{fffd}"
        );
        assert_eq!(markdown("源→目标"), "源→目标");
    }
}
