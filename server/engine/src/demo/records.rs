//! What datasets have in other collections: saved views, workspaces and delegated operations.

use bson::{Bson, Document, doc};

use super::sketch::Sketch;

impl Sketch {
    /// Adds a saved view. Each of its stages: a class in `fiftyone.core.stages`, and its arguments as JSON.
    pub fn save_view(&mut self, name: &str, description: &str, stages: &[(&str, &str)]) {
        let id = self.id();
        let stages: Vec<String> = stages
            .iter()
            .map(|(class, arguments)| {
                format!(r#"{{"_cls": "fiftyone.core.stages.{class}", "kwargs": {arguments}}}"#)
            })
            .collect();
        self.views.push(doc! {
            "_id": id, "_dataset_id": self.dataset_id(), "name": name, "description": description,
            "slug": name, "color": "#FF6D04", "view_stages": stages,
            "created_at": self.now(), "last_modified_at": self.now(), "last_loaded_at": null,
        });
        self.push("saved_views", id);
    }

    /// Adds a workspace of two panels side by side.
    pub fn save_workspace(&mut self, name: &str) {
        let id = self.id();
        let panel = |component: &str, class: &str, pinned: bool| {
            doc! {
                "_cls": "Panel", "component_id": format!("{name}-{component}"), "type": class,
                "pinned": pinned, "state": {},
            }
        };
        let space = |component: &str, child: Document| {
            let active = child.get("component_id").cloned();
            doc! {
                "_cls": "Space", "component_id": format!("{name}-{component}"), "children": [child],
                "active_child": active,
            }
        };
        let child = doc! {
            "_cls": "Space", "component_id": format!("{name}-root"), "orientation": "horizontal",
            "children": [
                space("left", panel("samples", "Samples", true)),
                space("right", panel("histograms", "Histograms", false)),
            ],
            "_name": name,
        };
        self.workspaces.push(doc! {
            "_id": id, "child": child, "created_at": self.now(), "_dataset_id": self.dataset_id(),
            "description": "Samples and their histograms", "last_loaded_at": null,
            "last_modified_at": self.now(), "name": name, "slug": name,
        });
        self.push("workspaces", id);
    }

    /// Adds a delegated operation that is `completed` or `failed`, and left a log.
    pub fn operation(&mut self, operator: &str, label: &str, run_state: &str) {
        let id = self.id();
        let queued = self.now();
        let ended = self.id().timestamp();
        let at = |state: &str| if state == run_state { Bson::from(ended) } else { Bson::Null };
        self.operations.push(doc! {
            "_id": id, "operator": operator, "label": label, "delegation_target": "local",
            "run_state": run_state, "run_link": null, "queued_at": queued, "updated_at": ended,
            "status": null, "dataset_id": self.dataset_id(), "started_at": queued, "pinned": false,
            "completed_at": at("completed"), "failed_at": at("failed"), "scheduled_at": null, "result": null,
            "metadata": {}, "log_path": format!("/var/log/fiftyone/do_logs/{id}.log"),
            "context": { "request_params": {
                "dataset_name": self.document.get("name"), "params": {}, "operator_uri": operator,
            } },
        });
    }

    /// Gives each of these fields a color in the App.
    pub fn color(&mut self, colors: &[(&str, &str)]) {
        let fields: Vec<Document> = colors
            .iter()
            .map(|(path, color)| doc! { "path": *path, "fieldColor": *color, "maskTargetsColors": [] })
            .collect();
        let scheme = doc! {
            "_id": self.id(), "color_pool": ["#3355ff", "#ff9933", "#33aa77", "#cc3377"],
            "color_by": "field", "fields": fields, "label_tags": { "fieldColor": null, "valueColors": [] },
            "multicolor_keypoints": false, "opacity": 0.7, "show_skeletons": true,
            "default_mask_targets_colors": [], "colorscales": [],
            "default_colorscale": { "name": "viridis", "list": null },
        };
        self.configure("color_scheme", scheme);
    }

    /// Arranges the fields in the App's sidebar: below `labels` these, below `other` those.
    pub fn arrange(&mut self, labels: &[&str], other: &[&str]) {
        let groups = vec![
            doc! { "name": "tags", "paths": ["tags", "_label_tags"] },
            doc! { "name": "labels", "paths": labels.to_vec() },
            doc! { "name": "metadata", "paths": ["metadata.width", "metadata.height"], "expanded": false },
            doc! { "name": "other", "paths": other.to_vec() },
        ];
        self.configure("sidebar_groups", groups);
    }
}
