//! Habits of this repository, held by a test.

use std::path::{Path, PathBuf};

use juyi::methods::{METHODS, list_of_pages};

fn rust_files(folder: &Path) -> Vec<PathBuf> {
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

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
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

/// Inside the library the arrows point one way.
#[test]
fn imports_point_downhill() {
    const ORDER: [&str; 16] = [
        "error", "files", "heads", "context", "params", "linalg", "solvers", "data", "models", "learners",
        "measures", "methods", "choice", "report", "transfer", "tables",
    ];
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in rust_files(&source) {
        let inside = path.strip_prefix(&source).expect("below src");
        let module = inside.components().next().map(|c| c.as_os_str().to_string_lossy().replace(".rs", ""));
        let Some(own) = module.as_deref().and_then(|module| ORDER.iter().position(|known| *known == module))
        else {
            continue; // lib.rs
        };
        let text = read(&path);
        for uphill in &ORDER[own + 1..] {
            assert!(
                !text.contains(&format!("crate::{uphill}")),
                "{} points up to `{uphill}`",
                path.display()
            );
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

/// `docs/methods/` is the heads of the files.
#[test]
fn the_pages_are_those_of_the_methods_that_there_are() {
    let folder = root().join("docs/methods");
    for row in METHODS {
        let path = folder.join(format!("{}.md", row.name));
        assert!(read(&path) == row.page(), "{}: run `juyi methods --pages docs/methods`", path.display());
    }
    assert!(read(&folder.join("README.md")) == list_of_pages(), "run `juyi methods --pages docs/methods`");
    let pages = std::fs::read_dir(&folder).expect("the pages").count();
    assert_eq!(pages, METHODS.len() + 1, "docs/methods holds pages of other methods");
}
