//! The architecture invariants: what ARCHITECTURE.md says of the whole, as tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What may lie at the top, besides dotfiles. A new entry is a decision, and belongs here.
const TOP: &[&str] = &[
    "app",
    "public",
    "server",
    "style",
    "tests", // code
    "ARCHITECTURE.md",
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "Cargo.lock",
    "Cargo.toml",
    "Makefile",
    "clippy.toml",
    "rustfmt.toml",
];

/// Server functions that somebody calls before it is known who they are.
const OPEN_TO_ALL: &[&str] = &["accept_invitation", "invitation", "sign_in", "who_is_asking"];

#[test]
fn the_browser_carries_no_database_and_no_server() {
    let tree = packages("hydrate", &["--target", "wasm32-unknown-unknown"]);
    assert!(tree.iter().any(|it| it == "leptos"), "this is not what the browser runs: {tree:?}");
    let heavy = among(
        &tree,
        &["axum", "bson", "bundle", "engine", "mongodb", "revisions", "server", "tokio"],
    );
    assert!(heavy.is_empty(), "`hydrate` depends on {heavy:?}: keep them behind the feature `ssr`");
}

#[test]
fn a_revision_cannot_do_input_or_output() {
    let tree = packages("revisions", &[]);
    assert!(tree.iter().any(|it| it == "bson"), "these are not the revisions: {tree:?}");
    let able = among(&tree, &["axum", "engine", "mongodb", "reqwest", "tokio"]);
    assert!(able.is_empty(), "`revisions` depends on {able:?}: leave that to the engine");
}

#[test]
fn an_export_is_read_and_written_without_a_database() {
    let tree = packages("bundle", &[]);
    assert!(tree.iter().any(|it| it == "bson"), "these are not the exports: {tree:?}");
    let able = among(&tree, &["axum", "engine", "mongodb", "revisions", "tokio"]);
    assert!(able.is_empty(), "`bundle` depends on {able:?}: leave that to the engine");
}

#[test]
fn whoever_carries_media_knows_no_database() {
    let tree = packages("media", &[]);
    assert!(tree.iter().any(|it| it == "object_store"), "this does not carry media: {tree:?}");
    let strangers = among(&tree, &["axum", "engine", "mongodb", "openssl", "revisions"]);
    assert!(strangers.is_empty(), "`media` depends on {strangers:?}: leave that to the engine");
}

#[test]
fn only_the_store_talks_to_the_driver() {
    let store = Path::new("server/engine/src/store");
    let strangers: Vec<PathBuf> = sources()
        .into_iter()
        .filter(|it| !it.starts_with(store) && it != &store.with_extension("rs"))
        .filter(|it| !it.starts_with("tests") && names_the_driver(&read(it)))
        .collect();
    assert!(strangers.is_empty(), "only `{}` may use the driver: {strangers:?}", store.display());
}

#[test]
fn every_server_function_asks_the_gate_first() {
    for file in sources().iter().filter(|it| it.starts_with("app")) {
        let ungated = ungated(&read(file));
        assert!(ungated.is_empty(), "{}: no `gate::require` first in {ungated:?}", file.display());
    }
}

#[test]
fn every_revision_is_in_the_catalogue_under_its_own_name() {
    for (folder, catalogue) in [("src", "src/lib.rs"), ("src/admin", "src/admin.rs")] {
        let crate_root = Path::new("server/revisions");
        let mut listed = listed(&read(&crate_root.join(catalogue)));
        listed.sort();
        let mut files = Vec::new();
        for file in sources().iter().filter(|it| it.parent() == Some(&crate_root.join(folder))) {
            let name = file.file_stem().unwrap().to_str().unwrap();
            if let Some(numbers) = version_in_name(name) {
                let version = format!("Version::new({numbers})");
                assert!(read(file).contains(&version), "{}: no `{version}`", file.display());
                files.push(name.to_owned());
            }
        }
        files.sort();
        assert!(!files.is_empty(), "there are no revisions in `{folder}`");
        assert_eq!(files, listed, "`{catalogue}` lists what is not there, or not all of it");
    }
}

#[test]
fn every_module_opens_with_one_sentence() {
    let wordless: Vec<PathBuf> =
        sources().into_iter().filter(|it| !opens_with_a_sentence(&read(it))).collect();
    assert!(wordless.is_empty(), "no one-sentence `//!` at the top of {wordless:?}");
}

#[test]
fn colors_are_tokens() {
    for file in tracked().iter().filter(|it| it.starts_with("style") || it.starts_with("app")) {
        let colors = match file.extension().and_then(|it| it.to_str()) {
            Some("css") if !file.ends_with("tokens.css") => colors_in_style(&read(file)),
            Some("rs") => colors_in_markup(&read(file)),
            _ => continue,
        };
        assert!(colors.is_empty(), "{}: {colors:?}: name it in style/tokens.css", file.display());
    }
}

#[test]
fn the_top_of_the_tree_has_only_what_is_allowed() {
    let mut unknown: Vec<String> = tracked()
        .iter()
        .filter_map(|it| Some(it.iter().next()?.to_str()?.to_owned()))
        .filter(|it| !it.starts_with('.') && !TOP.contains(&it.as_str()))
        .collect();
    unknown.dedup();
    assert!(unknown.is_empty(), "new at the top: {unknown:?}");
}

#[test]
fn what_breaks_a_rule_is_seen() {
    assert!(names_the_driver("use mongodb::Client;"));
    assert!(names_the_driver("let it: mongodb::Client;"));
    assert!(!names_the_driver("// mongodb:: is the store's\n\"mongodb://127.0.0.1\""));

    let gated = "#[server(endpoint = \"a\")]\npub async fn a(b: B<{ 1 }>) -> R {\n    let p = gate::require(A)?;\n}";
    assert_eq!(ungated(gated), Vec::<String>::new());
    assert_eq!(ungated(&gated.replace("{\n", "{\n    work();\n")), ["a"]);
    assert_eq!(ungated("#[server]\npub async fn sign_in() {}"), Vec::<String>::new());
    let defaulted = gated.replace("b: B<{ 1 }>", "#[server(default)] b: B");
    assert_eq!(ungated(&defaulted), Vec::<String>::new());
    assert_eq!(ungated(&defaulted.replace("{\n", "{\n    work();\n")), ["a"]);

    assert_eq!(version_in_name("v0_16_3").as_deref(), Some("0, 16, 3"));
    assert_eq!(version_in_name("visitor"), None);
    assert_eq!(listed("catalogue! {\n    v0_6_2\n    v1_0_0\n}\nfn v() {}"), ["v0_6_2", "v1_0_0"]);

    assert!(opens_with_a_sentence(
        "//! v0.6.5: one, in\n//! two lines.\n//!\n//! More. Still more.\n"
    ));
    assert!(!opens_with_a_sentence("use std::fs;\n"));
    assert!(!opens_with_a_sentence("//! no full stop\n"));
    assert!(!opens_with_a_sentence("//! One sentence. And another.\n"));

    assert_eq!(colors_in_style("a { color: #fff; border: 1px solid red }"), ["#fff", "red"]);
    assert_eq!(colors_in_style("a { color: rgb(1 2 3) }"), ["rgb"]);
    let fine = "/* #fff */ #add:hover { color: var(--red); background: url(#abc-def) }";
    assert_eq!(colors_in_style(fine), Vec::<String>::new());
    assert_eq!(colors_in_markup(r##"<rect fill="#c0ffee" x=1 /> <a href="#abc">"##), ["#c0ffee"]);
}

/// The names of all packages that a crate is built with.
fn packages(name: &str, more: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "-e", "normal", "--prefix", "none", "-f", "{p}", "-p", name])
        .args(more)
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|it| it.split(' ').next()).map(str::to_owned).collect()
}

fn among<'a>(packages: &[String], unwanted: &[&'a str]) -> Vec<&'a str> {
    unwanted.iter().copied().filter(|it| packages.iter().any(|package| package == it)).collect()
}

/// Every file in version control, or about to be.
fn tracked() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let files: Vec<PathBuf> =
        text.lines().map(PathBuf::from).filter(|it| Path::new(ROOT).join(it).exists()).collect();
    assert!(files.len() > 50, "this is not the project: {files:?}");
    files
}

/// Every Rust file.
fn sources() -> Vec<PathBuf> {
    tracked().into_iter().filter(|it| it.extension().is_some_and(|it| it == "rs")).collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(Path::new(ROOT).join(file)).unwrap()
}

fn names_the_driver(source: &str) -> bool {
    let code = source.lines().map(|it| it.split("//").next().unwrap_or_default());
    code.into_iter().any(|it| it.contains("mongodb::") || it.trim() == "use mongodb;")
}

/// The server functions whose first statement is not the gate's.
fn ungated(source: &str) -> Vec<String> {
    // The same word before an argument says what it is if it is not sent.
    let source = source.replace("#[server(default)]", "");
    let functions = source.split("#[server").skip(1).filter_map(|it| it.split_once("fn "));
    functions
        .filter_map(|(_, function)| {
            let name = function.split(['(', '<']).next()?.trim().to_owned();
            // The body is the first brace that ends a line: those of a signature do not.
            let first = function.split_once("{\n").and_then(|(_, body)| body.split(';').next());
            let gated = first.is_some_and(|it| it.contains("gate::require("));
            (!gated && !OPEN_TO_ALL.contains(&name.as_str())).then_some(name)
        })
        .collect()
}

/// `v0_16_3` as `0, 16, 3`.
fn version_in_name(name: &str) -> Option<String> {
    let numbers: Vec<&str> = name.strip_prefix('v')?.split('_').collect();
    let valid = numbers.len() == 3 && numbers.iter().all(|it| it.parse::<u64>().is_ok());
    valid.then(|| numbers.join(", "))
}

/// The modules in the call of `catalogue!`.
fn listed(source: &str) -> Vec<String> {
    let list = source.split_once("\ncatalogue! {").or_else(|| source.split_once("catalogue! {"));
    let words = list.and_then(|(_, it)| it.split('}').next()).unwrap_or_default();
    words.split_whitespace().map(str::to_owned).collect()
}

fn opens_with_a_sentence(source: &str) -> bool {
    let lines = source.lines().map_while(|it| it.strip_prefix("//! "));
    let paragraph = lines.collect::<Vec<_>>().join(" ");
    let Some(sentence) = paragraph.strip_suffix('.') else { return false };
    // A full stop before a capital begins a second one.
    !sentence.match_indices(". ").any(|(at, _)| sentence[at + 2..].starts_with(char::is_uppercase))
}

/// The colors in a style sheet that are spelled out.
fn colors_in_style(sheet: &str) -> Vec<String> {
    const FUNCTIONS: &[&str] =
        &["rgb", "rgba", "hsl", "hsla", "hwb", "lab", "lch", "oklab", "oklch", "color"];
    const NAMES: &[&str] = &[
        "black", "blue", "brown", "gold", "gray", "green", "grey", "navy", "orange", "pink",
        "purple", "red", "silver", "teal", "white", "yellow",
    ];
    let mut sheet = sheet.to_owned();
    while let Some((start, length)) =
        sheet.find("/*").and_then(|it| Some((it, sheet[it..].find("*/")? + 2)))
    {
        sheet.replace_range(start..start + length, " ");
    }
    // A value stands between a colon and the end of its declaration; `a:hover {` is a selector.
    let ends = sheet.split_inclusive([';', '{', '}']).filter(|it| !it.ends_with('{'));
    let values = ends.filter_map(|it| it.split_once(':')).map(|(_, value)| value);
    let mut found = Vec::new();
    for value in values {
        let separates = |it: char| !(it.is_alphanumeric() || "-_#(".contains(it));
        for word in value.split(separates) {
            let (name, is_call) = word.split_once('(').map_or((word, false), |(it, _)| (it, true));
            let spelled = if is_call {
                FUNCTIONS.contains(&name)
            } else {
                is_hex(word) || NAMES.contains(&word)
            };
            if spelled {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// The colors in attributes of markup.
fn colors_in_markup(source: &str) -> Vec<String> {
    let attributes = ["fill=\"", "stroke=\"", "stop-color=\"", "color=\""];
    attributes
        .iter()
        .flat_map(|it| source.split(it).skip(1))
        .filter_map(|it| it.split('"').next())
        .filter(|it| is_hex(it) || it.starts_with("rgb"))
        .map(str::to_owned)
        .collect()
}

fn is_hex(word: &str) -> bool {
    word.strip_prefix('#').is_some_and(|it| {
        matches!(it.len(), 3 | 4 | 6 | 8) && it.chars().all(|it| it.is_ascii_hexdigit())
    })
}
