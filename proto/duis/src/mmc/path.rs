//! One value of an answer by its path.

use super::MmcElement;

/// A path that finds no single value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A step is not a name, `name[n]`, `count` or `@name`.
    #[error(
        "{step:?} in path {path:?} is not a step; expected an element name, Name[0], count or @attribute"
    )]
    Step {
        /// The path.
        path: String,
        /// The step.
        step: String,
    },
    /// A step names several elements.
    #[error(
        "path {path:?} means one of {count} elements {name}; write {name}[0] to {name}[{last}], or {name}.count"
    )]
    Ambiguous {
        /// The path.
        path: String,
        /// The name.
        name: String,
        /// How many there are.
        count: usize,
        /// The last index.
        last: usize,
    },
}

pub(super) fn find(root: &MmcElement, path: &str) -> Result<Option<String>, PathError> {
    let mut element = root;
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        if let Some(attribute) = step.strip_prefix('@') {
            let value = element.attribute(attribute).map(str::to_owned);
            return if steps.peek().is_none() { Ok(value) } else { Err(not_a_step(path, step)) };
        }
        let (name, index) = parse_step(step).ok_or_else(|| not_a_step(path, step))?;
        let named: Vec<&MmcElement> = element.children.iter().filter(|child| child.name == name).collect();
        if index.is_none() && steps.peek() == Some(&"count") {
            steps.next();
            let last = steps.next();
            return last
                .map_or_else(|| Ok(Some(named.len().to_string())), |step| Err(not_a_step(path, step)));
        }
        let found = match index {
            Some(index) => named.get(index),
            None if named.len() > 1 => {
                let (path, name, count) = (path.to_owned(), name.to_owned(), named.len());
                return Err(PathError::Ambiguous { path, name, count, last: count - 1 });
            }
            None => named.first(),
        };
        match found {
            Some(child) => element = child,
            None => return Ok(None),
        }
    }
    Ok(element.children.is_empty().then(|| element.text.clone()))
}

fn not_a_step(path: &str, step: &str) -> PathError {
    PathError::Step { path: path.to_owned(), step: step.to_owned() }
}

/// `Name` or `Name[3]`.
fn parse_step(step: &str) -> Option<(&str, Option<usize>)> {
    let (name, index) = match step.split_once('[') {
        None => (step, None),
        Some((name, rest)) => (name, Some(rest.strip_suffix(']')?.parse().ok()?)),
    };
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    is_name.then_some((name, index))
}
