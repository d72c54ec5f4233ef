//! Which paths an archive may hold, and what some of them mean to Helm.

/// Why `path` must not be in an archive, or `None` if it is fine.
///
/// Helm cleans paths (`a//b`, `a/./b`) before it looks at them. Refusing what needs cleaning
/// leaves one spelling for each file, so a duplicate cannot hide behind another.
pub(super) fn problem(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.starts_with('/') {
        return Some("it is absolute");
    }
    if path.contains('\\') {
        return Some("it holds a backslash");
    }
    if path.chars().any(char::is_control) {
        return Some("it holds a control character");
    }
    path.split('/').find_map(|part| match part {
        "" => Some("one of its parts is empty"),
        "." => Some("it holds '.' as a part"),
        ".." => Some("it leaves its folder by '..'"),
        drive if drive.len() == 2 && drive.ends_with(':') => Some("it names a drive"),
        _ => None,
    })
}

/// Whether Helm may take the file, at some level of the chart tree, as a schema for values.
pub(super) fn is_values_schema(path: &str) -> bool {
    path.rsplit('/').next() == Some(super::schema::FILE_NAME)
}

/// Whether Helm opens the file as a packaged chart: `charts/<name>.tgz`, but not if the name
/// starts with `_` or `.` (macOS puts `._` files beside the real ones).
pub(super) fn is_packaged_subchart(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    parts.next() == Some("charts") && name.ends_with(".tgz") && !name.starts_with(['_', '.'])
}
