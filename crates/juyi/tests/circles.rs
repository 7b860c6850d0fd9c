//! No file imports, over others, what imports it: a circle is read as a whole or not at all. A type that is split over a
//! file and the files in its folder is one thing, so these may know each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::tidy::{read, root, rust_files};

/// A file as a module: what it imports, what it hands on, and what it defines.
#[derive(Default)]
struct Module {
    imports: Vec<Vec<String>>,
    /// By the last part of the path.
    exports: BTreeMap<String, Vec<String>>,
}

/// Code without comments and tests.
fn plain(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let text = text.split("#[cfg(all(test").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The paths in a tree such as `a::{b, c::{d, e}}`.
fn paths(tree: &str, before: &[String], found: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let Some((path, inside)) = tree.split_once('{') else {
        let own = tree.split(" as ").next().unwrap_or_default().split("::").map(|part| part.trim().into());
        found.push(before.iter().cloned().chain(own).collect());
        return;
    };
    let path: Vec<String> =
        path.split("::").map(|part| part.trim().to_string()).filter(|p| !p.is_empty()).collect();
    let before: Vec<String> = before.iter().cloned().chain(path).collect();
    let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inside.char_indices().chain([(inside.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inside[start..at].trim().is_empty() {
                    paths(&inside[start..at], &before, found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// A path from the root of its crate; `None` where it leads out of it.
fn absolute(path: &[String], own: &[String], modules: &BTreeSet<Vec<String>>) -> Option<Vec<String>> {
    let up = path.iter().take_while(|part| *part == "super").count();
    let join = |base: &[String], rest: &[String]| base.iter().chain(rest).cloned().collect::<Vec<_>>();
    match path.first().map(String::as_str) {
        Some("crate") => Some(path[1..].to_vec()),
        Some("self") => Some(join(own, &path[1..])),
        Some("super") => Some(join(&own[..own.len().saturating_sub(up)], &path[up..])),
        Some(first) => modules.contains(&join(own, &[first.to_string()])).then(|| join(own, path)),
        None => None,
    }
}

/// The modules of a crate by their paths.
fn modules(source: &Path) -> BTreeMap<Vec<String>, Module> {
    let mut code = BTreeMap::new();
    for file in rust_files(source) {
        let inside = file.strip_prefix(source).expect("below src").with_extension("");
        let mut path: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        match path.last().map(String::as_str) {
            Some("tests") => continue,
            Some("mod" | "lib" | "main") => drop(path.pop()),
            _ => {}
        }
        code.insert(path, plain(&read(&file)));
    }
    let names: BTreeSet<Vec<String>> = code.keys().cloned().collect();
    let module = |(own, code): (Vec<String>, String)| {
        let mut module = Module::default();
        for item in code.split(';').filter_map(|item| item.rsplit_once("use ")) {
            let (before, tree) = item;
            let begins = before.rsplit('\n').next().unwrap_or_default().trim();
            if !(begins.is_empty() || begins.starts_with("pub")) || tree.contains('(') {
                continue;
            }
            let mut found = Vec::new();
            paths(tree, &[], &mut found);
            for path in found.iter().filter_map(|path| absolute(path, &own, &names)) {
                if begins.starts_with("pub") {
                    module.exports.insert(path.last().cloned().unwrap_or_default(), path);
                } else {
                    module.imports.push(path);
                }
            }
        }
        (own, module)
    };
    code.into_iter().map(module).collect()
}

/// The module that defines what a path leads to.
fn home(path: &[String], modules: &BTreeMap<Vec<String>, Module>, hops: usize) -> Option<Vec<String>> {
    let (length, module) = (0..=path.len()).rev().find_map(|k| Some((k, modules.get(&path[..k])?)))?;
    match path.get(length).and_then(|name| module.exports.get(name)) {
        Some(handed) if hops > 0 => {
            let on: Vec<String> = handed.iter().chain(&path[length + 1..]).cloned().collect();
            home(&on, modules, hops - 1)
        }
        _ => Some(path[..length].to_vec()),
    }
}

/// What a module leads to over any number of imports.
fn reached(from: &[String], arrows: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>) -> BTreeSet<Vec<String>> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_vec()]);
    while let Some(at) = open.pop() {
        for next in arrows.get(&at).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

/// The files of a crate that stand in a circle.
fn circle(source: &Path) -> Vec<String> {
    let modules = modules(source);
    let mut arrows: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
    for (own, module) in &modules {
        let homes = module.imports.iter().filter_map(|path| home(path, &modules, 10));
        let others = homes.filter(|home| !home.starts_with(own) && !own.starts_with(home));
        arrows.insert(own.clone(), others.collect());
    }
    let circular = |own: &&Vec<String>| reached(own, &arrows).contains(*own);
    modules.keys().filter(circular).map(|own| own.join("::")).collect()
}

#[test]
fn no_files_stand_in_a_circle() {
    for library in ["juyi", "juyi-deep"] {
        let found = circle(&root().join("crates").join(library).join("src"));
        assert!(found.is_empty(), "{library}: {found:?} import each other");
    }
}

#[test]
fn circles_are_found_and_a_split_type_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    put("lib.rs", "mod a;\nmod b;\npub mod c;\n");
    put("a.rs", "use crate::b::{Bee, other::X};\npub struct Ant;\n");
    put(
        "b.rs",
        "pub struct Bee;\n// use crate::a::Ant;\n#[cfg(test)]\nmod tests {\n    use crate::a::Ant;\n}\n",
    );
    put("c/mod.rs", "mod d;\npub use d::Dog;\nuse crate::a::Ant;\npub struct Cat;\n");
    put("c/d.rs", "use super::Cat;\npub struct Dog;\n");
    assert!(circle(folder.path()).is_empty());
    put("b.rs", "use crate::c::Dog;\npub struct Bee;\n");
    put("c/d.rs", "use crate::a::Ant;\npub struct Dog;\n");
    assert_eq!(circle(folder.path()), ["a", "b", "c::d"]);
}
