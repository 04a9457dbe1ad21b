//! The folder that all files are below.

/// The common folder of all files that it was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Root(Option<String>);

impl Root {
    /// One more file, by its tidy path.
    pub fn add(&mut self, path: &str) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        match &mut self.0 {
            None => self.0 = Some(folder.to_owned()),
            Some(root) => {
                let same = root.split('/').zip(folder.split('/')).take_while(|(a, b)| a == b);
                let kept: usize = same.map(|(part, _)| part.len() + 1).sum();
                root.truncate(kept.saturating_sub(1));
            }
        }
    }

    /// The folder; `/` if they have none, or there are none.
    pub fn folder(&self) -> &str {
        self.0.as_deref().filter(|it| !it.is_empty()).unwrap_or("/")
    }
}

#[cfg(test)]
mod tests {
    use model::media_path::rest_below;
    use proptest::prelude::*;

    use super::*;

    fn of<'a>(paths: impl Iterator<Item = &'a str>) -> String {
        let mut root = Root::default();
        for path in paths {
            root.add(path);
        }
        root.folder().to_owned()
    }

    fn root(paths: &[&str]) -> String {
        of(paths.iter().copied())
    }

    #[test]
    fn the_root_is_the_longest_folder_in_common() {
        assert_eq!(root(&["/a/b/1.png"]), "/a/b");
        assert_eq!(root(&["/a/b/1.png", "/a/b/c/2.png"]), "/a/b");
        assert_eq!(root(&["/a/b/1.png", "/a/bc/2.png"]), "/a");
        assert_eq!(root(&["/a/1.png", "/b/1.png"]), "/");
        assert_eq!(root(&["/1.png"]), "/");
        assert_eq!(root(&[]), "/");
    }

    proptest! {
        #[test]
        fn every_file_is_below_the_root_whatever_the_order(mut paths in prop::collection::vec("(/[ab]{1,2}){1,4}", 1..8)) {
            let root = of(paths.iter().map(String::as_str));
            prop_assert!(paths.iter().all(|it| rest_below(&root, it).is_some()), "{root} {paths:?}");
            paths.reverse();
            prop_assert_eq!(of(paths.iter().map(String::as_str)), root);
        }
    }
}
