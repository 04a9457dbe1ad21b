//! What a scene (`.fo3d`) refers to: meshes, point clouds, materials and backgrounds.

use std::collections::BTreeSet;

use model::media_path::{PathKind, below};
use serde_json::Value;

/// The keys of FiftyOne's objects that are paths.
const KEYS: &[&str] =
    &["fbxPath", "gltfPath", "mtlPath", "objPath", "pcdPath", "plyPath", "splatPath", "stlPath"];

/// The same of an asset that was transformed beforehand.
const TRANSFORMED: &str = "preTransformed";

/// Whether a file is a scene, by its name.
pub fn is_scene(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".fo3d")
}

/// All paths of assets in a scene, as they stand there.
pub fn assets(scene: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // Nothing is changed in a copy that is thrown away.
    each(&mut scene.clone(), &mut |path| {
        found.insert(path.clone());
    });
    found
}

/// Changes paths of assets. Returns how many.
pub fn redirect(scene: &mut Value, mut to: impl FnMut(&str) -> Option<String>) -> usize {
    let mut changed = 0;
    each(scene, &mut |path| {
        if let Some(new) = to(path)
            && new != *path
        {
            *path = new;
            changed += 1;
        }
    });
    changed
}

/// Where an asset is, as seen from its scene. `None` if it would be above the root.
pub fn resolve(scene: &str, asset: &str) -> Option<String> {
    if PathKind::of(asset).is_absolute() {
        return Some(asset.to_owned());
    }
    let (folder, _) = scene.rsplit_once('/').unwrap_or_default();
    below("", &format!("{folder}/{asset}"))
}

fn each(value: &mut Value, visit: &mut impl FnMut(&mut String)) {
    let Value::Object(object) = value else { return };
    for (key, value) in object.iter_mut() {
        match value {
            Value::String(path) if is_path(key) && !path.is_empty() => visit(path),
            Value::Array(children) if key == "children" => {
                for it in children {
                    each(it, visit);
                }
            }
            Value::Object(background) if key == "background" => {
                let faces = background
                    .iter_mut()
                    .filter(|(key, _)| matches!(key.as_str(), "image" | "cube"));
                faces.for_each(|(_, it)| texts(it, visit));
            }
            _ => {}
        }
    }
}

fn texts(value: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(path) if !path.is_empty() => visit(path),
        Value::Array(paths) => {
            for it in paths {
                texts(it, visit);
            }
        }
        _ => {}
    }
}

fn is_path(key: &str) -> bool {
    let plain = |key: &str| KEYS.iter().any(|it| it.eq_ignore_ascii_case(key));
    KEYS.contains(&key) || key.strip_prefix(TRANSFORMED).is_some_and(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As FiftyOne 1.22.1 writes one, shortened.
    fn scene() -> Value {
        json!({
            "_type": "Scene", "name": "x.obj", "children": [
                { "_type": "ObjMesh", "children": [], "objPath": "a/m.obj", "mtlPath": "/abs/m.mtl",
                  "preTransformedObjPath": "pre.obj",
                  "defaultMaterial": { "_type": "MeshStandardMaterial", "color": "#808080" } },
                { "_type": "PointCloud", "pcdPath": "p.pcd", "children": [
                    { "_type": "PlyMesh", "plyPath": "../q.ply", "isPointCloud": false, "children": [] }] },
                { "_type": "ObjMesh", "objPath": "a/m.obj", "mtlPath": null, "children": [] },
            ],
            "camera": { "position": null }, "lights": null,
            "background": { "color": null, "image": "bg.png", "cube": ["1.png", "2.png"], "intensity": 1.0 },
        })
    }

    #[test]
    fn every_asset_of_a_scene_is_found_once() {
        let expected =
            ["../q.ply", "/abs/m.mtl", "1.png", "2.png", "a/m.obj", "bg.png", "p.pcd", "pre.obj"];
        assert_eq!(assets(&scene()).iter().map(String::as_str).collect::<Vec<_>>(), expected);
        for other in [json!(null), json!([]), json!({ "children": 1, "background": [] })] {
            assert!(assets(&other).is_empty());
        }
    }

    #[test]
    fn assets_are_redirected_and_nothing_else_is_changed() {
        let mut changed = scene();
        let count =
            redirect(&mut changed, |it| (it == "a/m.obj").then(|| "s3://b/m.obj".to_owned()));
        assert_eq!(count, 2);
        assert_eq!(
            redirect(&mut changed, |it| (it == "s3://b/m.obj").then(|| "a/m.obj".to_owned())),
            2
        );
        assert_eq!(changed, scene());
    }

    #[test]
    fn assets_are_seen_from_their_scene() {
        let at = |asset: &str| resolve("/d/s/x.fo3d", asset);
        assert_eq!(at("a/m.obj").as_deref(), Some("/d/s/a/m.obj"));
        assert_eq!(at("../q.ply").as_deref(), Some("/d/q.ply"));
        assert_eq!(at("../../../q.ply"), None);
        assert_eq!(at("/abs/m.mtl").as_deref(), Some("/abs/m.mtl"));
        assert_eq!(at("s3://b/k").as_deref(), Some("s3://b/k"));
        assert!(is_scene("/d/X.FO3D") && !is_scene("/d/x.fo3d.png"));
    }
}
