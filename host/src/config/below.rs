//! Paths that a pipeline file names.

use std::path::{Component, Path, PathBuf};

/// A path of the file, which is relative to `base`, the file's folder. Each `.` and doubled slash is dropped for the eye; `..` stays,
/// since it may follow a link.
pub fn below(base: &Path, path: impl AsRef<Path>) -> PathBuf {
    let path: PathBuf = base.join(path).components().filter(|part| *part != Component::CurDir).collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_without_what_means_nothing() {
        for (base, path, shown) in [
            (".", "./bucket", "bucket"),
            (".", "././nosuch/", "nosuch"),
            ("./folder/.", "a//b/./c", "folder/a/b/c"),
            ("folder", "../other", "folder/../other"),
            (".", "./..", ".."),
            ("folder", "/srv/./data", "/srv/data"),
            (".", ".", "."),
        ] {
            assert_eq!(below(Path::new(base), path), Path::new(shown), "{base} {path}");
            assert_eq!(below(Path::new(base), path).as_os_str(), shown, "{base} {path}");
        }
    }
}
