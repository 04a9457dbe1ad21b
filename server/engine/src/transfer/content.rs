//! What is sent in place of a scene: the same, with references that hold where it goes.

use std::collections::HashMap;

use media::{Cause, Destination, Fault, layout::local, manifest::Entry, scene};

use super::gather;

/// The assets of a scene, each with the file of this system that it is.
pub fn assets(entry: &Entry) -> Result<(serde_json::Value, HashMap<String, String>), Fault> {
    let scene = gather::read(&entry.source)
        .map_err(|it| Fault::new(Cause::Unreadable, format!("{it}; write the scene again")))?;
    let mut found = HashMap::new();
    for asset in scene::assets(&scene) {
        let path = scene::resolve(&entry.source, &asset).and_then(|it| local(&it).ok());
        if let Some(path) = path {
            found.insert(asset, path);
        }
    }
    Ok((scene, found))
}

/// The scene as it is sent; `None` if it is sent as it is. `places`: where the files go that are its assets.
pub fn redirected(
    entry: &Entry,
    mut content: serde_json::Value,
    assets: &HashMap<String, String>,
    places: &HashMap<String, Entry>,
    to: &Destination,
) -> Option<Vec<u8>> {
    let scene = format!("/{}", entry.place);
    let changed = scene::redirect(&mut content, |asset| {
        let place = &places.get(assets.get(asset)?)?.place;
        let holds = scene::resolve(&scene, asset).is_some_and(|it| it == format!("/{place}"));
        (!holds).then(|| to.path_of(place))
    });
    if changed == 0 {
        return None;
    }
    serde_json::to_vec(&content).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(source: &str, place: &str) -> (String, Entry) {
        let entry = Entry { source: source.into(), place: place.into(), ..Entry::default() };
        (source.to_owned(), entry)
    }

    #[test]
    fn a_reference_that_holds_stays_and_the_others_become_whole_paths() {
        let to = Destination::open("/mnt/x", &|_| None).unwrap();
        let entry =
            Entry { source: "/d/s.fo3d".into(), place: "s.fo3d".into(), ..Entry::default() };
        let scene = json!({ "children": [
            { "pcdPath": "a.pcd" }, { "pcdPath": "sub/b.pcd" }, { "pcdPath": "/elsewhere/c.pcd" }, { "pcdPath": "lost.pcd" },
        ] });
        let assets = [
            ("a.pcd", "/d/a.pcd"),
            ("sub/b.pcd", "/d/sub/b.pcd"),
            ("/elsewhere/c.pcd", "/elsewhere/c.pcd"),
        ];
        let assets = assets.map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        let places = HashMap::from([
            place("/d/a.pcd", "a.pcd"),
            place("/d/sub/b.pcd", "b.pcd"),
            place("/elsewhere/c.pcd", "c.pcd"),
        ]);
        let sent = redirected(&entry, scene.clone(), &assets, &places, &to).unwrap();
        let sent: serde_json::Value = serde_json::from_slice(&sent).unwrap();
        let paths: Vec<&str> = sent["children"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["pcdPath"].as_str().unwrap())
            .collect();
        assert_eq!(paths, ["a.pcd", "/mnt/x/b.pcd", "/mnt/x/c.pcd", "lost.pcd"]);
        assert_eq!(redirected(&entry, scene, &assets, &HashMap::new(), &to), None);
    }
}
