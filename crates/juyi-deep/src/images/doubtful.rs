//! Names that are taken for those of classes, and pictures that are taken for pictures of them, and likely are none.

use std::collections::HashMap;

use juyi::data::{is_mark_of_absence, listed, means_no_label, spelt_alike};
use juyi::error::shown;

use super::entries::Entry;
use super::folder::PARTS;

/// Names of folders for pictures without a class, beside the words for no label.
const UNSORTED: [&str; 2] = ["unsorted", "unclassified"];

/// Names of folders that data sets are made of, in place of classes.
const LAYOUT: [&str; 12] = [
    "images",
    "imgs",
    "img",
    "pictures",
    "photos",
    "jpegimages",
    "masks",
    "mask",
    "labels",
    "annotations",
    "segmentation",
    "thumbnails",
];

/// Ends of the names of pictures that go with another.
const BESIDE: [&str; 7] = ["_mask", "-mask", "_seg", "_segmentation", "_gt", "_label", "_thumb"];

/// What is doubtful about the names of the classes in a folder or table, a sentence each.
pub(super) fn doubts(classes: &[String]) -> Vec<String> {
    let is = |known: &[&str], class: &str| known.iter().any(|own| class.trim().eq_ignore_ascii_case(own));
    let unknown = |class: &str| is(&UNSORTED, class) || means_no_label(class);
    let all = |kind: &dyn Fn(&str) -> bool| -> Vec<&String> {
        classes.iter().filter(|class| kind(class)).collect()
    };
    let absent = all(&|class| unknown(class) || is_mark_of_absence(class));
    let parts = all(&|class| is(&PARTS, class) && !unknown(class));
    let layout = all(&|class| is(&LAYOUT, class));
    let taken = |names: Vec<&String>, unless: &str| {
        let (are, class) = if names.len() == 1 { ("is", "a class") } else { ("are", "classes") };
        (!names.is_empty()).then(|| format!("{} {are} taken for {class}; {unless}", listed(&names)))
    };
    let twins = spelt_alike(classes).into_iter().map(|(a, b)| {
        let (a, b) = (shown(&classes[a]), shown(&classes[b]));
        format!("`{a}` and `{b}` are likely to be one class; spell them alike")
    });
    let found = [
        taken(absent, "pictures without a class lie beside the folders of classes, or have an empty cell"),
        taken(parts, "if it is a part of a split, move it elsewhere"),
        taken(
            layout,
            "if the classes are told otherwise, give a folder with a subfolder for each, or a table of paths",
        ),
    ];
    found.into_iter().flatten().chain(twins).collect()
}

/// That pictures lie beside others whose names they bear with an end such as `_mask`, if some do.
pub(super) fn masks(entries: &[Entry]) -> Option<String> {
    let stem = |entry: &Entry| entry.path.with_extension("");
    let stems: HashMap<_, &Entry> = entries.iter().map(|entry| (stem(entry), entry)).collect();
    let of_another = |entry: &&Entry| {
        let stem = stem(entry);
        let text = stem.to_str();
        text.is_some_and(|text| {
            let others = BESIDE.iter().filter_map(|end| text.strip_suffix(end));
            others.into_iter().any(|other| stems.contains_key(std::path::Path::new(other)))
        })
    };
    let mut found = entries.iter().filter(of_another);
    let first = found.next()?.path.display();
    let text = match found.count() + 1 {
        1 => format!("`{first}` is taken for a picture of its own, and is called as if it went with another"),
        count => format!(
            "{count} pictures (the first `{first}`) are taken for pictures of their own, and are called as if each went \
             with another: masks and the like belong elsewhere"
        ),
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_likely_no_classes_are_named() {
        let of = |names: &[&str]| -> Vec<String> {
            doubts(&names.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert!(of(&["cup", "mug", "seg", "10", "9"]).is_empty());
        let absent = "pictures without a class lie beside the folders of classes, or have an empty cell";
        assert_eq!(of(&["NA", "mug"]), [format!("`NA` is taken for a class; {absent}")]);
        assert_eq!(
            of(&["-", "Unknown", "none", "null", "unlabeled"]).concat(),
            format!("`-`, `Unknown`, `none`, `null`, `unlabeled` are taken for classes; {absent}")
        );
        let part = "`test` is taken for a class; if it is a part of a split, move it elsewhere";
        assert_eq!(of(&["cup", "test"]), [part]);
        assert!(of(&["images", "masks"])[0].starts_with("`images`, `masks` are taken for classes; "));
        assert_eq!(
            of(&["Mug", "cup", "mug"]),
            ["`Mug` and `mug` are likely to be one class; spell them alike"]
        );
    }

    #[test]
    fn masks_beside_pictures_are_named() {
        let of = |paths: &[&str]| {
            let entry = |path: &&str| Entry { path: path.into(), class: None, row: 0 };
            masks(&paths.iter().map(entry).collect::<Vec<_>>())
        };
        assert_eq!(of(&["a/x.jpg", "b/x_mask.png", "a/y_mask.png"]), None);
        assert!(of(&["a/x.jpg", "a/x_mask.png"]).unwrap().starts_with("`a/x_mask.png` is taken"));
        let text = of(&["a/x.jpg", "a/x_mask.png", "a/y-mask.jpg", "a/y.jpg"]).unwrap();
        assert!(text.starts_with("2 pictures (the first `a/x_mask.png`) are taken"));
    }
}
