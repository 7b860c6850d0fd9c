//! Names a line, perhaps with the number of the class before or behind each.

use super::Names;
use juyi::error::shown;

/// Marks between a number and a name, beside blanks; longer ones first.
const MARKS: [&str; 7] = ["->", "=>", ",", ";", ":", "=", "|"];

/// Further marks behind a number in front.
const BEHIND_NUMBERS: [&str; 4] = [")", ".", "-", "_"];

/// Marks of tables, and none but a blank: behind them numbers must be right.
const OF_TABLES: [&str; 4] = ["", ",", ";", ":"];

/// First lines that stand above names.
const HEADINGS: [&str; 10] = [
    "class",
    "classes",
    "class_name",
    "class name",
    "class_names",
    "label",
    "labels",
    "name",
    "names",
    "category",
];

/// A name without quotes.
fn plain(name: &str) -> String {
    name.trim().trim_matches('"').to_string()
}

/// A number in front of a name, and whether the mark between them is that of a [table](OF_TABLES).
fn number_first(line: &str) -> Option<(usize, String, bool)> {
    let line = line.strip_prefix('"').unwrap_or(line);
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = line.split_at(digits);
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    let name = rest.trim_start();
    let blank = name.len() < rest.len();
    let marked = MARKS.iter().chain(&BEHIND_NUMBERS).find_map(|mark| {
        let name = name.strip_prefix(*mark)?;
        // Behind a blank a name may begin with the sign.
        (!blank || name.starts_with(char::is_whitespace)).then_some((*mark, name))
    });
    let (mark, name) = marked.or_else(|| blank.then_some(("", name)))?;
    let of_table = OF_TABLES.contains(&mark);
    // `0-2` and `3.5` are names.
    let goes_on = !of_table && name.starts_with(|sign: char| sign.is_ascii_digit());
    let name = plain(name);
    if goes_on || (name.is_empty() && !of_table) {
        return None;
    }
    Some((number.parse().ok()?, name, of_table))
}

/// A number behind a name.
fn number_last(line: &str) -> Option<(usize, String)> {
    let line = line.trim_end_matches(',');
    // `fox (3)`
    let inside = line.strip_suffix(')').and_then(|line| line.rsplit_once('('));
    let (rest, number) = inside.map_or_else(
        || {
            let line = line.trim_end_matches('"');
            let digits = line.bytes().rev().take_while(u8::is_ascii_digit).count();
            let (rest, number) = line.split_at(line.len() - digits);
            (rest.trim_end_matches('"'), number)
        },
        |(name, number)| (name, number),
    );
    let spaced = rest.trim_end();
    let marked = MARKS.iter().find_map(|mark| spaced.strip_suffix(mark));
    let name = marked.or_else(|| (inside.is_some() || spaced.len() < rest.len()).then_some(spaced))?;
    Some((number.parse().ok()?, plain(name))).filter(|(_, name)| !name.is_empty())
}

/// Where numbers begin that are there once each, from 0 or 1.
fn first_number(numbers: &[usize]) -> Option<usize> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    [0, 1].into_iter().find(|first| sorted.iter().copied().eq(*first..first + numbers.len()))
}

/// Whether the names are more than a word that all have in common.
fn tell_apart(names: &[(usize, String)]) -> bool {
    names.iter().any(|(_, name)| *name != names[0].1)
}

/// The names in lines: as they stand, or by the numbers that all of them, but for a header, begin or end with.
pub(super) fn lines(text: &str) -> Result<Names, String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let behind_header = |numbered: bool, table: bool| {
        let header = lines.len() > 2 && !numbered && (!table || lines[0].contains([',', ';', '\t']));
        &lines[usize::from(header)..]
    };
    let in_order = |mut named: Vec<(usize, String)>, first: usize| {
        named.sort();
        let count = named.len();
        let note = format!(
            "numbers its {count} classes from {first}: they are taken in that order, without the numbers"
        );
        Ok((named.into_iter().map(|(_, name)| name).collect(), Some(note)))
    };
    let first_of = |named: &[(usize, String)]| {
        first_number(&named.iter().map(|(number, _)| *number).collect::<Vec<_>>())
    };
    let begins = behind_header(lines.first().is_some_and(|line| number_first(line).is_some()), false);
    let named: Option<Vec<_>> = begins.iter().map(|line| number_first(line)).collect();
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let of_table = named.iter().all(|(.., of_table)| *of_table);
        let named: Vec<(usize, String)> = named.into_iter().map(|(number, name, _)| (number, name)).collect();
        match first_of(&named) {
            _ if !tell_apart(&named) => {}
            Some(first) => return in_order(named, first),
            None if of_table => {
                return Err(format!(
                    "numbers its {} lines otherwise than from 0 or 1 on, each once",
                    named.len()
                ));
            }
            None => {}
        }
    }
    let ends = behind_header(lines.first().is_some_and(|line| number_last(line).is_some()), true);
    let named: Option<Vec<_>> = ends.iter().map(|line| number_last(line)).collect();
    if let Some(named) = named.filter(|named| !named.is_empty() && tell_apart(named))
        && let Some(first) = first_of(&named)
    {
        return in_order(named, first);
    }
    if let Some(line) = lines.iter().find(|line| line.starts_with('#') || line.starts_with("//")) {
        return Err(format!("has a comment, `{}`, among its names", shown(line)));
    }
    if let Some(first) = lines.first().filter(|first| HEADINGS.contains(&&*first.to_lowercase())) {
        return Err(format!("begins with a heading, `{first}`, not with the name of a class"));
    }
    Ok((unmarked(lines), None))
}

/// Lines without the quotes or the marks of a list that all of them have.
fn unmarked(lines: Vec<&str>) -> Vec<String> {
    let item = |line: &&str| line.strip_prefix("- ").map(str::trim).map(String::from);
    let quoted =
        |line: &&str| Some(line.trim_end_matches(',').strip_prefix('"')?.strip_suffix('"')?.to_string());
    let all: Option<Vec<String>> = lines.iter().map(item).collect();
    let all = all.or_else(|| lines.iter().map(quoted).collect());
    all.unwrap_or_else(|| lines.into_iter().map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_on_either_side_are_places() {
        for form in [
            "#,@",
            "# @",
            "#\t@",
            "#: @",
            "#:@",
            "#;@",
            "#=@",
            "#. @",
            "#) @",
            "#)@",
            "#|@",
            "#-@",
            "#_@",
            "# - @",
            "# -> @",
            "# = @",
            "\"#\",\"@\"",
            "@,#",
            "@ #",
            "@\t#",
            "@=#",
            "@: #",
            "@:#",
            "@ (#)",
            "@(#)",
            "\"@\": #,",
            "\"@\",\"#\"",
            "@ -> #",
            "@;#",
            "@ = #",
            "@|#",
        ] {
            for first in [0, 1] {
                let line = |(number, name): (usize, &str)| {
                    form.replace('#', &(first + number).to_string()).replace('@', name)
                };
                let text = [(2, "red fox"), (0, "cat"), (3, "gnu"), (1, "dog")].map(line).join("\n");
                let (names, note) = lines(&text).unwrap();
                assert_eq!(names, ["cat", "dog", "red fox", "gnu"], "{form} from {first}");
                let expected = format!("numbers its 4 classes from {first}: ");
                assert!(note.is_some_and(|note| note.starts_with(&expected)), "{form}");
            }
        }
        assert_eq!(lines("name,index\ndog,1\ncat,0\nemu,2").unwrap().0, ["cat", "dog", "emu"]);
        assert_eq!(lines("index,name\n1,dog\n0,cat\n2,emu").unwrap().0, ["cat", "dog", "emu"]);
    }

    #[test]
    fn numbers_that_are_parts_of_names_stay() {
        for names in [
            &["class 2", "class 1", "class 0"][..],
            &["2 legs", "0 legs", "1 legs"],
            &["class_2", "class_0", "class_1"],
            &["boeing 747", "airbus 320", "tu 154"],
            &["0-2", "1-3", "2-4"],
            &["1.5 mm", "2.5 mm", "0.5 m"],
            &["3", "0", "2", "1"],
            &["fox 1", "emu 1", "dog 0"],
            &["background", "step 1", "step 2"],
            &["n01440764 cat", "n01443537 dog"],
            &["k", "k+", "+k"],
        ] {
            assert_eq!(
                lines(&names.join("\n")).unwrap(),
                (names.iter().map(ToString::to_string).collect(), None)
            );
        }
        assert!(lines("5 fox\n7 emu").is_err());
        assert_eq!(lines("\"cat\",\n\"dog\"").unwrap().0, ["cat", "dog"]);
        assert_eq!(lines("- cat\n- dog").unwrap().0, ["cat", "dog"]);
    }
}
