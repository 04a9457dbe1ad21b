"""Databases as people have them, made with the API of the real FiftyOne 1.22.1.

Run as a program it builds the corpus in a throwaway server and stores the dump in the file named.
"""

import atexit
import datetime
import hashlib
import os
import pickle
import subprocess
import sys

import mongo

HERE = os.path.dirname(os.path.abspath(__file__))


def load():
    """The corpus, built once for this version of this file and kept in the cache folder."""
    with open(__file__, "rb") as source:
        mark = hashlib.sha256(source.read()).hexdigest()[:16]
    path = os.path.join(mongo.CACHE, "parity", f"corpus-{mark}.pickle")
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        subprocess.run([sys.executable, os.path.join(HERE, "corpus.py"), path], check=True)
    with open(path, "rb") as stored:
        return pickle.load(stored)


def build():
    """Makes every dataset of the corpus in the database FiftyOne is connected to."""
    for make in (
        labels, dynamic, video, empty_video_frames, groups, clouds, runs, similarity, views,
        app_config, names, small, generated, operations,
    ):
        make()


def labels():
    """Every label type, and every kind of plain field."""
    import fiftyone as fo
    import numpy as np

    dataset = fo.Dataset("labels", persistent=True)
    box = [0.1, 0.2, 0.3, 0.4]
    for at in range(3):
        sample = fo.Sample(
            filepath=f"/data/{at}.jpg",
            tags=["train", "été"][:at],
            metadata=fo.ImageMetadata(
                size_bytes=1000 + at, mime_type="image/jpeg", width=64, height=48, num_channels=3
            ),
            regression=fo.Regression(value=0.5),
            classification=fo.Classification(label="cat", confidence=0.5, logits=np.array([1.0, 2.0])),
            classifications=fo.Classifications(classifications=[fo.Classification(label="a")]),
            detection=fo.Detection(label="cat", bounding_box=box, mask=np.ones((2, 2), dtype=bool)),
            detections=fo.Detections(
                detections=[fo.Detection(label="dog", bounding_box=box, index=i) for i in range(at)]
            ),
            polyline=fo.Polyline(label="p", points=[[(0.1, 0.1), (0.2, 0.2)]], closed=True),
            polylines=fo.Polylines(
                polylines=[
                    fo.Polyline(points=[[(0.1, 0.1), (0.2, 0.2)], [(0.3, 0.3), (0.4, 0.4)]]),
                    fo.Polyline(points=[[(0.5, 0.5), (0.6, 0.6)]], filled=True),
                ]
            ),
            keypoint=fo.Keypoint(label="k", points=[(0.5, 0.5), (float("nan"), float("nan"))]),
            keypoints=fo.Keypoints(keypoints=[fo.Keypoint(label="k", points=[(0.1, 0.1)])]),
            segmentation=fo.Segmentation(mask=np.zeros((2, 2), dtype=np.uint8)),
            heatmap=fo.Heatmap(map=np.zeros((2, 2)), range=[0, 1]),
            location=fo.GeoLocation(point=[-73.9, 40.7]),
            locations=fo.GeoLocations(points=[[-73.9, 40.7], [1.0, 2.0]]),
            temporal=fo.TemporalDetection(label="t", support=[1, 2]),
            temporals=fo.TemporalDetections(
                detections=[fo.TemporalDetection(label="t", support=[1, 2])]
            ),
            integer=at,
            large=1 << 40,
            real=1.5,
            flag=True,
            text="naïve",
            day=datetime.date(2020, 1, 2),
            moment=datetime.datetime(2020, 1, 2, 3, 4, 5, 678000),
            vector=np.array([1.0, 2.0]),
            array=np.zeros((2, 2)),
            strings=["a", "b"],
            mapping={"a": 1, "b": {"c": [1, 2]}},
        )
        dataset.add_sample(sample)
    dataset.add_sample_field("support", fo.FrameSupportField)
    dataset.add_sample_field("ids", fo.ListField, subfield=fo.ObjectIdField)
    dataset.add_sample_field("scores", fo.DictField, subfield=fo.FloatField)
    dataset.tags = ["t1", "t2"]
    dataset.description = "every label"
    dataset.info = {"when": datetime.datetime(2024, 1, 2), "n": 1, "nested": {"x": [1.5, None]}}
    dataset.classes = {"classification": ["cat", "dog"]}
    dataset.default_classes = ["cat", "dog"]
    dataset.mask_targets = {"segmentation": {1: "road", 2: "sky"}}
    dataset.default_mask_targets = {0: "background", 255: "other"}
    dataset.skeletons = {"keypoint": fo.KeypointSkeleton(labels=["a", "b"], edges=[[0, 1]])}
    dataset.default_skeleton = fo.KeypointSkeleton(edges=[[0, 1], [1, 2]])
    field = dataset.get_field("classification")
    field.description = "what is seen"
    field.info = {"owner": "me"}
    field.save()
    field = dataset.get_field("detections.detections.label")
    field.description = "nested"
    field.read_only = True
    field.save()
    dataset.save()


def dynamic():
    """Attributes that only the declared schema knows about, several levels deep."""
    import fiftyone as fo

    dataset = fo.Dataset("dynamic", persistent=True)
    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/data/dynamic/{at}.png",
                things=fo.Detections(
                    detections=[
                        fo.Detection(
                            label="x",
                            bounding_box=[0, 0, 1, 1],
                            area=float(at),
                            crowd=bool(at % 2),
                            inner=fo.DynamicEmbeddedDocument(colour="red", depth=at),
                        )
                    ]
                ),
                extra=fo.DynamicEmbeddedDocument(one=1, two="2"),
                many=[fo.DynamicEmbeddedDocument(three=3.0)],
            )
            for at in range(2)
        ],
        dynamic=True,
    )
    dataset.add_dynamic_sample_fields()


def video():
    """Videos with labels in their frames, runs over them, and one without any frame."""
    import fiftyone as fo

    dataset = fo.Dataset("video", persistent=True)
    samples = []
    for at in range(3):
        sample = fo.Sample(
            filepath=f"/data/{at}.mp4",
            metadata=fo.VideoMetadata(
                size_bytes=10, frame_width=64, frame_height=48, frame_rate=30.0,
                total_frame_count=3, duration=0.1, encoding_str="h264",
            ),
            events=fo.TemporalDetections(
                detections=[fo.TemporalDetection(label="e", support=[1, 2])]
            ),
        )
        for number in range(1, at + 1):
            sample.frames[number] = fo.Frame(
                quality=0.5 * number,
                objects=fo.Detections(
                    detections=[fo.Detection(label="o", bounding_box=[0, 0, 1, 1], index=1)]
                ),
                lines=fo.Polylines(polylines=[fo.Polyline(points=[[(0, 0), (1, 1)]])]),
                line=fo.Polyline(points=[[(0, 0), (1, 1)]]),
            )
        samples.append(sample)
    dataset.add_samples(samples)
    field = dataset.get_frame_field_schema()["objects"]
    field.description = "per frame"
    field.save()
    dataset.save_view("first", dataset.match_frames(fo.ViewField("quality") > 0.6))


def empty_video_frames():
    """A video dataset in which nobody has labelled a frame."""
    import fiftyone as fo

    dataset = fo.Dataset("video without frames", persistent=True)
    dataset.add_samples([fo.Sample(filepath="/data/lonely.mp4")])


def groups():
    """Grouped slices: an image, a video and a point cloud."""
    import fiftyone as fo

    dataset = fo.Dataset("grouped", persistent=True)
    dataset.add_group_field("group", default="left")
    samples = []
    for at in range(2):
        group = fo.Group()
        samples += [
            fo.Sample(filepath=f"/data/{at}-left.jpg", group=group.element("left")),
            fo.Sample(filepath=f"/data/{at}-right.jpg", group=group.element("right")),
            fo.Sample(filepath=f"/data/{at}.mp4", group=group.element("film")),
            fo.Sample(filepath=f"/data/{at}.pcd", group=group.element("cloud")),
        ]
    dataset.add_samples(samples)
    film = dataset.select_group_slices("film").first()
    film.frames[1] = fo.Frame(note="frame of a group")
    film.save()
    dataset.app_config.plugins["3d"] = {
        "defaultCameraPosition": {"x": 0, "y": 0, "z": 20}, "overlay": {"rotation": [0, 0, 90]},
    }
    dataset.app_config.dynamic_groups_target_frame_rate = 10
    dataset.save()


def clouds():
    """Point clouds, and scenes in three dimensions with boxes and cameras."""
    import fiftyone as fo

    dataset = fo.Dataset("clouds", persistent=True)
    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/data/{at}.pcd",
                boxes=fo.Detections(
                    detections=[
                        fo.Detection(
                            label="car", location=[1.0, 2.0, 3.0], dimensions=[1.0, 1.0, 1.0],
                            rotation=[0.0, 0.0, 0.1],
                        )
                    ]
                ),
            )
            for at in range(2)
        ]
    )
    dataset = fo.Dataset("scenes", persistent=True)
    dataset.add_samples([fo.Sample(filepath="/data/scene.fo3d")])
    dataset.camera_intrinsics = {
        "front": fo.PinholeCameraIntrinsics(fx=1.0, fy=1.0, cx=0.5, cy=0.5)
    }
    dataset.static_transforms = {
        "front": fo.StaticTransform(
            translation=[0.0, 0.0, 1.0], quaternion=[0.0, 0.0, 0.0, 1.0], source_frame="front"
        )
    }
    dataset.save()


def runs():
    """Evaluations, brain runs, an annotation run and a custom run, with results in GridFS."""
    import fiftyone as fo
    import fiftyone.brain as fob
    import fiftyone.core.annotation as foa
    import numpy as np

    dataset = fo.Dataset("runs", persistent=True)
    rng = np.random.default_rng(51)
    for at in range(6):
        dataset.add_sample(
            fo.Sample(
                filepath=f"/data/runs/{at}.jpg",
                truth=fo.Classification(label="ab"[at % 2]),
                guess=fo.Classification(label="ab"[at % 3 % 2], confidence=0.5),
                boxes=fo.Detections(
                    detections=[fo.Detection(label="a", bounding_box=[0, 0, 0.5, 0.5])]
                ),
                guessed=fo.Detections(
                    detections=[
                        fo.Detection(label="a", bounding_box=[0, 0, 0.4, 0.5], confidence=0.9)
                    ]
                ),
            )
        )
    dataset.evaluate_classifications("guess", gt_field="truth", eval_key="simple")
    dataset.evaluate_detections("guessed", gt_field="boxes", eval_key="coco", compute_mAP=True)
    dataset.limit(3).evaluate_detections("guessed", gt_field="boxes", eval_key="of_view")
    points = rng.random((6, 4))
    fob.compute_visualization(dataset, embeddings=points, method="pca", brain_key="map", seed=51)
    fob.compute_uniqueness(dataset, embeddings=points)
    fob.compute_similarity(dataset, embeddings=points, brain_key="nearest", backend="sklearn")
    fob.compute_similarity(
        dataset, embeddings=points, brain_key="cosine", backend="sklearn", metric="cosine"
    )
    config = foa.AnnotationMethodConfig(label_schema={"truth": {"type": "classification"}})
    config.__dict__["media_field"] = "filepath"
    method = foa.AnnotationMethod(config)
    method.register_run(dataset, "labelled")
    config = dataset.init_run()
    config.learning_rate = 0.1
    config.steps = [1, 2, 3]
    dataset.register_run("experiment", config)
    results = dataset.init_run_results("experiment")
    results.curve = [0.5, 0.25]
    results.note = "été"
    dataset.save_run_results("experiment", results)
    config = dataset.init_run(kind="bare")
    dataset.register_run("bare", config)

    twin = dataset.clone("runs of a clone", persistent=True)
    assert len(twin.list_brain_runs()) >= 3


def similarity():
    """Similarity runs with the class names of before and after 0.20.0, real and of other backends."""
    import fiftyone as fo
    import fiftyone.brain as fob
    import fiftyone.core.odm as foo
    import numpy as np
    from bson import ObjectId

    dataset = fo.Dataset("similarity", persistent=True)
    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/data/similarity/{at}.jpg",
                patches=fo.Detections(
                    detections=[fo.Detection(label="p", bounding_box=[0, 0, 1, 1])]
                ),
            )
            for at in range(4)
        ]
    )
    rng = np.random.default_rng(51)
    fob.compute_similarity(dataset, embeddings=rng.random((4, 3)), brain_key="whole", backend="sklearn")
    fob.compute_similarity(
        dataset, patches_field="patches",
        embeddings={sample.id: rng.random((1, 3)) for sample in dataset},
        brain_key="parts", backend="sklearn",
    )
    db = foo.get_db_conn()
    stored = db.datasets.find_one({"name": "similarity"})
    brain = stored["brain_methods"]
    whole = db.runs.find_one({"_id": brain["whole"]})
    # Runs that nothing installed here can make are written as their plugin stores them.
    others = {
        "no_results": {"results": None},
        "old_names": {
            "results": None,
            "config": {**whole["config"], "cls": "fiftyone.brain.similarity.SimilarityConfig",
                       "method": "similarity", "model": "m", "metric": "euclidean"},
        },
        "qdrant": {
            "results": None,
            "config": {**whole["config"], "cls": "fiftyone.brain.internal.core.qdrant.QdrantSimilarityConfig",
                       "method": "qdrant", "url": "http://qdrant"},
        },
        "lost_results": {"results": ObjectId()},
    }
    for key, change in others.items():
        run = {**whole, **change, "_id": ObjectId(), "key": key}
        db.runs.insert_one(run)
        brain[key] = run["_id"]
    db.datasets.update_one({"_id": stored["_id"]}, {"$set": {"brain_methods": brain}})


def views():
    """Saved views, workspaces and runs that are named like each other."""
    import fiftyone as fo

    dataset = fo.Dataset("saved views", persistent=True)
    dataset.add_samples([fo.Sample(filepath=f"/data/v/{at}.jpg", n=at) for at in range(3)])
    dataset.save_view("few", dataset.limit(1), description="one", color="#ff0000")
    dataset.save_view("sorted ünïcode", dataset.sort_by("n", reverse=True))
    dataset.save_workspace(
        "wide", fo.Space(children=[fo.Panel(type="Samples", pinned=True)]), description="w", color="#00ff00"
    )
    dataset.save_workspace("narrow", fo.Space(children=[fo.Panel(type="Histograms")]))


def app_config():
    """Sidebar groups, colour schemes and the rest of the settings of the App."""
    import fiftyone as fo

    dataset = fo.Dataset("app settings", persistent=True)
    dataset.add_samples(
        [
            fo.Sample(
                filepath="/data/a.jpg", thumbnail="/data/a-small.jpg", kind=fo.Classification(label="x")
            )
        ]
    )
    config = dataset.app_config
    config.media_fields = ["filepath", "thumbnail"]
    config.grid_media_field = "thumbnail"
    config.modal_media_field = "filepath"
    config.media_fallback = True
    groups = fo.DatasetAppConfig.default_sidebar_groups(dataset)
    groups.append(fo.SidebarGroupDocument(name="mine", paths=["kind"], expanded=False))
    config.sidebar_groups = groups
    config.active_fields = fo.ActiveFields(paths=["kind"], exclude=False)
    config.disable_frame_filtering = True
    config.color_scheme = fo.ColorScheme(
        color_pool=["#ff0000", "#00ff00"],
        color_by="value",
        fields=[
            {"path": "kind", "fieldColor": "#ff0000", "valueColors": [{"value": "x", "color": "#abcdef"}],
             "maskTargetsColors": [{"intTarget": 1, "color": "#000000"}]},
        ],
        opacity=0.5,
        show_skeletons=False,
        multicolor_keypoints=True,
        default_mask_targets_colors=[{"intTarget": 1, "color": "#fefefe"}],
        colorscales=[{"path": "kind", "name": "hot"}],
        default_colorscale={"name": "jet"},
        label_tags={"fieldColor": "#00ffff"},
    )
    config.plugins = {"map": {"clustering": False}, "point-cloud": {"defaultUp": [0, 0, 1]}}
    dataset.save()
    dataset.set_label_schemas({"kind": {"type": "classification", "component": "radio"}})
    dataset.active_label_schemas = ["kind"]

    other = fo.Dataset("plain colours", persistent=True)
    other.add_samples([fo.Sample(filepath="/data/b.jpg")])
    other.app_config.color_scheme = fo.ColorScheme(color_pool=["#123456"])
    other.save()


def names():
    """Names that are long, not ASCII, or full of what a slug drops."""
    import fiftyone as fo

    for name in (
        "n" * 90,
        "very " * 60 + "long",
        "Datensätze – größer 数据集 2",
        "UPPER_case.with+signs - and  spaces",
        "quote\" back\\slash {brace} $dollar",
    ):
        dataset = fo.Dataset(name, persistent=True)
        dataset.add_samples([fo.Sample(filepath="/data/named.jpg", note=name)])


def small():
    """An empty dataset, one with a schema only, and one that is not persistent."""
    import fiftyone as fo

    fo.Dataset("empty", persistent=True)
    dataset = fo.Dataset("schema only", persistent=True)
    dataset.add_sample_field("things", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    dataset.media_type = "image"
    dataset = fo.Dataset("passing", persistent=False)
    dataset.add_samples([fo.Sample(filepath="/data/passing.jpg")])


def generated():
    """The private datasets behind patches, clips and frames views."""
    import fiftyone as fo

    dataset = fo.load_dataset("labels")
    patches = dataset.to_patches("detections")
    dataset.save_view("of patches", patches)
    film = fo.load_dataset("video")
    clips = film.to_clips("events")
    film.save_view("of clips", clips)
    frames = film.to_frames(sample_frames=False) if _frames_have_paths(film) else None
    if frames is not None:
        film.save_view("of frames", frames)


def _frames_have_paths(film):
    for sample in film.iter_samples(autosave=True):
        for number, frame in sample.frames.items():
            frame["filepath"] = f"/data/frames/{sample.id}-{number}.jpg"
    return True


def operations():
    """Delegated operations of all states, of a dataset and of none, and a plugin's stored values."""
    import fiftyone as fo
    import fiftyone.core.odm as foo
    import fiftyone.operators.store as foos

    dataset = fo.load_dataset("labels")
    other = fo.load_dataset("video")
    moment = datetime.datetime(2024, 5, 6, 7, 8, 9)
    db = foo.get_db_conn()
    links = [
        {"run_link": "/logs/a.log"}, {"run_link": "http://runs/1"},
        {"run_link": "http://runs/2", "log_path": "/logs/b.log"},
        {"log_path": "/logs/c.log"}, {"log_path": "/logs/d.txt"},
        {"run_link": None, "log_path": None}, {},
        {"run_link": "/logs/e.log", "log_path": "/logs/f.log"},
    ]
    for at, link in enumerate(links):
        for owner in (dataset._doc.id, other._doc.id, None):
            db.delegated_ops.insert_one(
                {
                    "operator": "@voxel51/io/export", "label": "Export",
                    "delegation_target": None,
                    "context": {"request_params": {"params": {"n": at}}},
                    "run_state": ["queued", "running", "completed", "failed"][at % 4],
                    "dataset_id": owner, "queued_at": moment, "updated_at": moment,
                    "status": {"progress": 0.5}, "pinned": False, **link,
                }
            )
    store = foos.ExecutionStore.create("corpus", dataset_id=dataset._doc.id)
    store.set("answer", 42)


def _main(path):
    import warnings

    warnings.filterwarnings("ignore")
    import judge

    with mongo.Mongod() as server:
        judge.prepare(server.uri)
        os.environ["FIFTYONE_DATABASE_NAME"] = "corpus"
        import fiftyone as fo
        import fiftyone.core.odm.database as food
        import pymongo

        import dump

        fo.config.show_progress_bars = False
        build()
        atexit.unregister(food._delete_non_persistent_datasets_if_allowed)
        client = pymongo.MongoClient(server.uri)
        with open(path + ".part", "wb") as stored:
            pickle.dump({"dump": dump.read(client["corpus"]),
                         "indexes": dump.indexes(client["corpus"]), "made": fo.__version__}, stored)
        os.replace(path + ".part", path)


if __name__ == "__main__":
    _main(sys.argv[1])
