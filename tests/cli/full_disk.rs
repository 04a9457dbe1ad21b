//! A disk that fills up while something is written to it: a sentence about it, and nothing half left behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;
use tests::{Deployment, Ended, NEWEST, Program};

/// How large a file of media is; the disk has room for two.
const MEDIA: usize = 400_000;

/// Makes a disk of a mebibyte where its first argument says, runs the rest, and lists the files that are left, with their sizes.
const WITH_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size=1m tmpfs "$0" || exit 99
"$@"
code=$?
find "$0" -type f -printf 'left %s %P\n'
exit $code
"#;

/// An export of 12,000 samples that are eight files.
fn export() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let metadata = format!(
        r#"{{"name": "large", "slug": "large", "version": "{NEWEST}", "media_type": "image", "sample_collection_name": "samples.x",
            "sample_fields": [], "frame_fields": [], "tags": [], "app_config": {{}}}}"#
    );
    fs::write(folder.path().join("metadata.json"), metadata).unwrap();
    let samples: Vec<String> = (0..12_000)
        .map(|it| {
            let tag = "x".repeat(100);
            let file = it % 8;
            format!(
                r#"{{"_id": {{"$oid": "{it:024x}"}}, "filepath": "data/{file}.bin", "tags": ["{tag}"]}}"#
            )
        })
        .collect();
    let samples = format!("{{\"samples\": [{}]}}", samples.join(","));
    fs::write(folder.path().join("samples.json"), samples).unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    for it in 0_u8..8 {
        let content: Vec<u8> = (0..MEDIA).map(|at| it ^ at.to_le_bytes()[0]).collect();
        fs::write(folder.path().join(format!("data/{it}.bin")), content).unwrap();
    }
    folder
}

/// Runs the program with a small disk at `disk`.
async fn run(deployment: &Deployment, disk: &Path, words: &[&str]) -> Ended {
    let disk = disk.to_str().unwrap();
    let program = env!("CARGO_BIN_EXE_program_under_test");
    let mut all = vec!["--user", "--map-root-user", "--mount", "sh", "-c", WITH_A_SMALL_DISK];
    all.extend([disk, program]);
    all.extend(words);
    let ended = deployment.led_by(Program::at("unshare", all)).run().await;
    assert_ne!(ended.status, Some(99), "this system lets nobody make a disk: {}", ended.stderr);
    ended
}

/// The files that are left on the small disk: sizes and names.
fn left(ended: &Ended) -> Vec<&str> {
    ended.stdout.lines().filter_map(|it| it.strip_prefix("left ")).collect()
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_half_is_left_on_it() {
    let deployment = Deployment::at(NEWEST).await;
    let (export, root) = (export(), tempfile::tempdir().unwrap());
    let (disk, archive) = (root.path().join("disk"), root.path().join("large.tar"));
    fs::create_dir(&disk).unwrap();
    let mut packed = Command::new("tar");
    packed.arg("-cf").arg(&archive).arg("-C").arg(export.path()).arg(".");
    assert!(packed.status().unwrap().success());
    let place = |name: &str| disk.join(name).to_str().unwrap().to_owned();

    let before = deployment.dump().await;
    let words = ["import", archive.to_str().unwrap(), "--unpack-to", &place("unpacked")];
    let ended = run(&deployment, &disk, &words).await;
    ended.exits_with(1);
    assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
    assert_eq!(left(&ended), [""; 0]);
    assert!(deployment.dump().await == before, "something was written to the database");

    let importing = tests::program!(["import", export.path().to_str().unwrap()]);
    deployment.led_by(importing).run().await.exits_with(0);
    let before = deployment.dump().await;
    for media in ["none", "copy"] {
        let words = ["export", "large", &place("export"), "--media", media];
        let ended = run(&deployment, &disk, &words).await;
        ended.exits_with(1);
        assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
        assert_eq!(left(&ended), [""; 0]);
    }

    let ended = run(&deployment, &disk, &["upload-media", "large", &place("media")]).await;
    ended.exits_with(1);
    assert!(ended.stderr.contains("the disk is full; make room"), "{}", ended.stderr);
    let whole = format!("{MEDIA} media/");
    let left = left(&ended);
    assert!(left.iter().all(|it| it.starts_with(&whole)), "half a file is left: {left:?}");
    assert!(deployment.dump().await == before, "a path leads to where nothing is");
    // Where there is room, the same arrives.
    let roomy = root.path().join("roomy");
    let words = ["upload-media", "large", roomy.to_str().unwrap()];
    deployment.led_by(tests::program!(words)).run().await.exits_with(0);
    assert_eq!(fs::read_dir(roomy).unwrap().count(), 8);
}
