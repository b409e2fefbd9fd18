//! The paths a Rust source file names, outside its comments, strings and tests.
//!
//! Not a parser of Rust: it reads tokens, and follows `::` and the braces of `use`. That is enough to see which crates and
//! modules a file reaches for, and it needs no compiler.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A source file of a crate.
pub(crate) struct Source {
    /// Its path below the crate's `src`, for messages.
    pub(crate) file: PathBuf,
    /// The module it is, from the crate's root: `watch`, `watch::page`.
    pub(crate) module: Vec<String>,
    /// Every path it names, `super`, `self` and `crate` resolved to paths from `crate`.
    pub(crate) paths: BTreeSet<String>,
}

impl Source {
    /// Whether the file names this path, or one below it.
    pub(crate) fn names(&self, path: &str) -> bool {
        let below = format!("{path}::");
        self.paths.iter().any(|named| named == path || named.starts_with(&below))
    }
}

/// Every file of a crate that is not a test, in order.
pub(crate) fn sources(src: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    collect(src, &mut files);
    files.sort();
    let texts: Vec<(PathBuf, String)> = files.into_iter().map(|file| read(src, &file)).collect();
    let tests: BTreeSet<Vec<String>> =
        texts.iter().flat_map(|(file, text)| test_modules(file, text)).collect();
    let in_tests = |module: &[String]| (1..=module.len()).any(|length| tests.contains(&module[..length]));
    let sources = texts.into_iter().map(|(file, text)| source(file, &text));
    sources.filter(|source| !in_tests(&source.module)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// A file by its path below `src`, and its text.
fn read(src: &Path, file: &Path) -> (PathBuf, String) {
    let below = file.strip_prefix(src).expect("a file of the crate").to_owned();
    (below, std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

fn source(file: PathBuf, text: &str) -> Source {
    let module = module(&file);
    let tokens = without_tests(&tokens(text));
    let paths = paths(&tokens).iter().map(|path| resolve(&module, path)).collect();
    Source { file, module, paths }
}

/// The module a file is.
fn module(file: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib" || last == "main") {
        module.pop();
    }
    module
}

/// The modules a file declares under `#[cfg(test)]`, which live in files of their own.
fn test_modules(file: &Path, text: &str) -> Vec<Vec<String>> {
    let tokens = tokens(text);
    let after_cfg_test =
        (0..tokens.len()).filter(|at| is_cfg_test(&tokens[*at..])).map(|at| &tokens[at + 7..]);
    let declared = after_cfg_test.filter_map(|item| {
        let at = item.iter().take(6).position(|token| token == "mod")?;
        let is_file = item.get(at + 2).is_some_and(|token| token == ";");
        is_file.then(|| item[at + 1].clone())
    });
    declared.map(|name| module(file).into_iter().chain([name]).collect()).collect()
}

/// `super::execute` in module `watch` is `crate::execute`.
fn resolve(module: &[String], path: &[String]) -> String {
    let ups = path.iter().take_while(|part| *part == "super").count();
    let here = path.first().is_some_and(|first| first == "self");
    if ups == 0 && !here {
        return path.join("::");
    }
    let kept = module.len().saturating_sub(ups);
    let base = std::iter::once("crate").chain(module[..kept].iter().map(String::as_str));
    let rest = path.iter().skip(ups.max(1)).map(String::as_str);
    base.chain(rest).collect::<Vec<_>>().join("::")
}

/// Identifiers and the punctuation paths are made of; comments and strings are left out.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let rest = &letters[at..];
        at += match rest {
            ['/', '/', ..] => length_until(rest, |tail| tail.starts_with(&['\n'])),
            ['/', '*', ..] => length_until(rest, |tail| tail.starts_with(&['*', '/'])) + 2,
            ['r', '"' | '#', ..] if raw_string(rest).is_some() => raw_string(rest).unwrap_or(1),
            ['"', ..] => string(rest),
            [':', ':', ..] => {
                tokens.push("::".to_owned());
                2
            }
            [letter, ..] if letter.is_alphanumeric() || *letter == '_' => {
                let length = rest.iter().take_while(|l| l.is_alphanumeric() || **l == '_').count();
                tokens.push(rest[..length].iter().collect());
                length
            }
            [letter, ..] => {
                if !letter.is_whitespace() {
                    tokens.push(letter.to_string());
                }
                1
            }
            [] => 1,
        };
    }
    tokens
}

fn length_until(rest: &[char], end: impl Fn(&[char]) -> bool) -> usize {
    (0..rest.len()).find(|at| end(&rest[*at..])).unwrap_or(rest.len())
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of `r"..."` or `r#"..."#`, if that is what stands here.
fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|letter| **letter == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let start = 2 + hashes;
    Some(start + length_until(&rest[start..], |tail| tail.starts_with(&end)) + end.len())
}

fn is_cfg_test(tokens: &[String]) -> bool {
    let start = tokens.iter().take(7).map(String::as_str);
    start.eq(["#", "[", "cfg", "(", "test", ")", "]"])
}

/// Leaves out each item under `#[cfg(test)]`: up to its `;`, or to the end of its braces.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_cfg_test(&tokens[at..]) {
            at += 7 + item_length(&tokens[at + 7..]);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

fn item_length(tokens: &[String]) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
        if token == "}" && depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// Every path of two parts or more, the braces of `use` spread out; and every name that stands alone.
pub(crate) fn paths(tokens: &[String]) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        at += path_at(&tokens[at..], &[], &mut found).max(1);
    }
    found
}

/// Takes the path that begins here, below `prefix`; how many tokens it took.
fn path_at(tokens: &[String], prefix: &[String], found: &mut BTreeSet<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    let mut at = 0;
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") if at > 0 || !prefix.is_empty() => return at + group(&tokens[at..], &path, found),
            Some(part) if part.starts_with(|first: char| first.is_alphabetic() || first == '_') => {
                path.push(part.to_owned());
                at += 1;
            }
            _ => break,
        }
        if tokens.get(at).map(String::as_str) != Some("::") {
            break;
        }
        at += 1;
    }
    if path.len() > prefix.len() {
        found.insert(path);
    }
    at
}

/// Takes `{a, b::c}` below `prefix`.
fn group(tokens: &[String], prefix: &[String], found: &mut BTreeSet<Vec<String>>) -> usize {
    let mut at = 1;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "}" => return at + 1,
            _ => at += path_at(&tokens[at..], prefix, found).max(1),
        }
    }
    at
}

#[test]
fn paths_are_seen_through_use_trees_and_in_code_and_not_in_comments_strings_or_tests() {
    let text = r##"
        //! Uses tokio::net, says the comment.
        use std::{fs, io::{self, Read}, net::TcpStream as Stream};
        use super::execute;
        /* std::process */
        fn f() { let _ = "rumqttc::x"; let _ = r#"axum::y"#; crate::dispatch::go::<u8>(); }
        #[cfg(test)]
        mod tests { use device_sim::Estate; fn g() { {} } }
        #[cfg(test)]
        mod more;
        struct After(jiff::Timestamp);
    "##;
    let joined: BTreeSet<String> =
        paths(&without_tests(&tokens(text))).iter().map(|path| resolve(&["watch".into()], path)).collect();
    for named in [
        "std::fs",
        "std::io::Read",
        "std::net::TcpStream",
        "crate::execute",
        "crate::dispatch::go",
        "jiff::Timestamp",
    ] {
        assert!(joined.contains(named), "{named} of {joined:?}");
    }
    for unnamed in ["tokio", "rumqttc", "axum", "device_sim", "std::process"] {
        assert!(!joined.iter().any(|path| path.starts_with(unnamed)), "{unnamed} of {joined:?}");
    }
}
