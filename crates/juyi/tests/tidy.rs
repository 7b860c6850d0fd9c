//! Habits of this repository, held by a test.

use std::path::{Path, PathBuf};

use juyi::methods::METHODS;
use juyi::setting::Setting;

pub(super) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(super) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The file of a method: `methods/<family>/<name>.rs`.
fn method_file(family: &str, name: &str) -> PathBuf {
    let name = name.replace('-', "_");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/methods/{family}/{name}.rs"))
}

#[test]
fn a_method_file_tells_its_whole_story() {
    for row in METHODS {
        let path = method_file(row.family.name(), row.name);
        let text = read(&path);
        let name = path.display();
        for part in ["//! When: ", "//! Cost: ", "mod tests", "deny_unknown_fields"] {
            assert!(text.contains(part), "{name}: `{part}` is missing");
        }
        assert!(
            text.contains(&format!("//! Paper: {}\n", row.paper)),
            "{name}: its paper is not the registry's"
        );
    }
}

#[test]
fn a_method_never_imports_a_sibling() {
    for row in METHODS {
        let path = method_file(row.family.name(), row.name);
        let text = read(&path);
        for other in METHODS.iter().filter(|other| other.name != row.name) {
            let module = other.name.replace('-', "_");
            for import in [format!("super::{module}"), format!("{}::{module}", other.family)] {
                assert!(!text.contains(&import), "{} imports `{import}`", path.display());
            }
        }
    }
}

/// What a method can do is in its row; nothing asks what it is called.
#[test]
fn nothing_asks_for_a_method_by_name() {
    for path in rust_files(&root().join("crates")) {
        let inside = path.to_string_lossy().replace('\\', "/");
        if !inside.contains("/src/") || inside.ends_with("tests.rs") {
            continue;
        }
        let text = read(&path);
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let asked = ["name == \"", "method == \"", "matches!(self.name", "matches!(row.name"].iter().any(
                |words| {
                    line.contains(words)
                        && METHODS.iter().any(|row| line.contains(&format!("\"{}\"", row.name)))
                },
            );
            assert!(!asked, "{inside}:{}: a capability belongs to the row: {line}", number + 1);
        }
    }
}

#[test]
fn files_stay_short() {
    for path in rust_files(&root().join("crates"))
        .iter()
        .filter(|path| path.components().any(|c| c.as_os_str() == "src"))
    {
        let lines = read(path).lines().count();
        assert!(lines <= 400, "{}: {lines} lines; move a part to a file of its own", path.display());
    }
}

/// Inside each library the arrows point one way: in the order in which ARCHITECTURE.md names all modules.
#[test]
fn imports_point_downhill() {
    let map = read(&root().join("ARCHITECTURE.md"));
    for library in ["juyi", "juyi-deep"] {
        let order =
            map.split(&format!("inside `{library}`:")).nth(1).and_then(|rest| rest.split([';', '.']).next());
        let order: Vec<&str> = order.expect("an order").split('`').skip(1).step_by(2).collect();
        let source = root().join("crates").join(library).join("src");
        for path in rust_files(&source) {
            let inside = path.strip_prefix(&source).expect("below src");
            let module = inside.components().next().expect("a name").as_os_str().to_string_lossy();
            let module = module.trim_end_matches(".rs");
            if module == "lib" {
                continue;
            }
            let own = order.iter().position(|known| *known == module);
            let own = own.unwrap_or_else(|| panic!("`{library}`: `{module}` has no place in the order"));
            let text = read(&path);
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for uphill in &order[own + 1..] {
                let import = format!("crate::{uphill}");
                let points_up = code.iter().any(|line| line.contains(&import));
                assert!(!points_up, "{} points up to `{uphill}`", path.display());
            }
        }
    }
}

#[test]
fn nothing_is_left_over() {
    for path in rust_files(&root().join("crates")).iter().filter(|path| !path.ends_with("tidy.rs")) {
        let text = read(path);
        for left in ["todo!(", "unimplemented!(", "dbg!(", "#[ignore", "allow(dead_code"] {
            assert!(!text.contains(left), "{}: `{left}`", path.display());
        }
    }
}

/// The licence notices are those of the libraries that there are.
#[test]
fn the_notices_name_the_libraries_that_there_are() {
    let (lock, notices) =
        (read(&root().join("Cargo.lock")), read(&root().join("crates/juyi-cli/notices/NOTICES.txt")));
    let locked: Vec<String> = lock
        .split("[[package]]")
        .filter_map(|package| {
            let field = |name: &str| package.split(&format!("\n{name} = \"")).nth(1)?.split('"').next();
            Some(format!("{} {}", field("name")?, field("version")?))
        })
        .collect();
    let named = |line: &str| {
        let mut words = line.strip_prefix("  ")?.split(' ');
        let (name, version) = (words.next()?, words.next()?);
        let is_version =
            version.starts_with(|c: char| c.is_ascii_digit()) && version.matches('.').count() >= 2;
        (is_version && !name.is_empty()).then(|| format!("{name} {version}"))
    };
    let named: Vec<String> = notices.lines().filter_map(named).collect();
    assert!(named.len() > 200, "{} libraries", named.len());
    for library in &named {
        assert!(locked.contains(library), "{library} is no longer there: see CONTRIBUTING.md");
    }
    for manifest in ["juyi", "juyi-deep", "juyi-cli"] {
        let manifest = read(&root().join(format!("crates/{manifest}/Cargo.toml")));
        let own = manifest.split("\n[dependencies]\n").nth(1).expect("dependencies").split("\n[").next();
        for line in own.unwrap_or_default().lines().filter(|line| !line.is_empty()) {
            let name = line.split(['.', ' ']).next().unwrap_or_default().replace("burn", "burn-core");
            let is_named = named.iter().any(|library| library.starts_with(&format!("{name} ")));
            assert!(is_named, "`{name}` has no notice: see CONTRIBUTING.md");
        }
    }
}

/// Both READMEs link to every method, family by family, in the registry's order, and the guides to no method that is not
/// there.
#[test]
fn the_readmes_list_the_methods_that_there_are() {
    for name in ["README.md", "README.zh-CN.md"] {
        let text = read(&root().join(name));
        let linked: Vec<&str> =
            text.split("](docs/methods/").skip(1).filter_map(|rest| rest.split(".md)").next()).collect();
        let linked: Vec<&str> = linked.into_iter().filter(|name| *name != "README").collect();
        let listed: Vec<&str> = METHODS.iter().map(|row| row.name).collect();
        assert_eq!(linked, listed, "{name}: the table of the families lists other methods");
        for row in METHODS {
            let line = text.lines().find(|line| line.starts_with(&format!("| {} |", row.family)));
            let line = line.unwrap_or_else(|| panic!("{name}: no line for the family {}", row.family));
            assert!(
                line.contains(&format!("[`{0}`](docs/methods/{0}.md)", row.name)),
                "{name}: {}",
                row.name
            );
        }
    }
}

/// The literals of strings in code, each with its line.
fn literals(code: &str) -> Vec<(usize, &str)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(c) = code[at..].chars().next() {
        let rest = &code[at..];
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if c == '\'' && rest[1..].starts_with('\\') {
            3 + rest[3..].find('\'').unwrap_or(0)
        } else if c == '\'' && rest[1..].chars().nth(1) == Some('\'') {
            2 + rest[1..].find('\'').unwrap_or(0)
        } else if c == '"' {
            let hashes = code[..at].len() - code[..at].trim_end_matches('#').len();
            let raw = code[..at - hashes].ends_with('r');
            let end = format!("\"{}", "#".repeat(if raw { hashes } else { 0 }));
            let mut length = 1;
            while !rest[length..].starts_with(&end) {
                length += usize::from(!raw && rest[length..].starts_with('\\'));
                length += rest[length..].chars().next().expect("the end of a string").len_utf8();
            }
            found.push((code[..at].matches('\n').count() + 1, &rest[1..length]));
            length + end.len()
        } else {
            c.len_utf8()
        };
        at += length.max(1);
    }
    found
}

/// How a setting is set is a front end's to say: the libraries name it.
#[test]
fn the_libraries_speak_no_command_line() {
    /// Flags of other programs, and of style sheets.
    const OTHERS: [&str; 3] = ["--no-deps", "--strip-components", "--share:"];
    let libraries = ["crates/juyi/src", "crates/juyi-deep/src"];
    let mut settings = 0;
    for path in libraries.iter().flat_map(|library| rust_files(&root().join(library))) {
        let inside = path.to_string_lossy().replace('\\', "/");
        if inside.ends_with("tests.rs") || inside.contains("/tests/") {
            continue;
        }
        let text = read(&path);
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for (line, literal) in literals(code) {
            let own = OTHERS.iter().fold(literal.to_string(), |own, flag| own.replace(flag, ""));
            let flag =
                own.split("--").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
            assert!(!flag, "{inside}:{line}: a flag, where `Setting` has the notation: {literal}");
            for rest in literal.split('‹').skip(1) {
                let name = rest.split([' ', '›']).next().unwrap_or_default();
                let known = Setting::ALL.iter().any(|setting| setting.name() == name);
                assert!(known && rest.contains('›'), "{inside}:{line}: no setting: {literal}");
                settings += 1;
            }
        }
    }
    assert!(settings > 100, "{settings} settings");
}

#[test]
fn literals_are_told_from_comments_and_characters() {
    let code = "let a = \"b \\\" c\"; // \"d\"\nf('\"', '\\'', 'e', \"\", r#\"g \" h\"#, r\"\\\"); fn i<'j>(k: &'j str) { \"l\" }";
    let expected = [(1, "b \\\" c"), (2, ""), (2, "g \" h"), (2, "\\"), (2, "l")];
    assert_eq!(literals(code), expected);
}
