//! Who may migrate what: FiftyOne's decision table, with Enterprise's rule that a connection never upgrades.

use model::Direction;
use revisions::{Release, base, direction};

use crate::versions::{COMPATIBILITY_VERSION, OTHER_COMPATIBLE_VERSIONS, is_compatible, newest};

const ABOUT_MIGRATIONS: &str =
    "https://docs.voxel51.com/user_guide/config.html#database-migrations";

/// What is to be done with the database or a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing; it stays where it is.
    Stay,
    /// Take it there.
    Migrate(Release),
    /// It cannot go anywhere from where it is; the sentence says why.
    Refuse(String),
    /// Nothing may or can go there; the sentence says why.
    Forbid(String),
}

/// What is to be done with the database.
///
/// `head`: where it is; `None` if it was never opened. `destination`: what was asked for; `None` for the
/// default, this program's own version. `admin`: `FIFTYONE_DATABASE_ADMIN`.
pub fn database(head: Option<&Release>, destination: Option<&Release>, admin: bool) -> Decision {
    let asked = destination.is_some();
    let destination = destination.unwrap_or(newest());
    let Some(head) = head else {
        return if admin {
            checked(destination, destination, "the database")
        } else {
            Decision::Stay
        };
    };
    if (!asked && may_stay(head, admin)) || head == destination {
        return Decision::Stay;
    }
    if !admin {
        return Decision::Forbid(if asked {
            format!(
                "Cannot migrate database from v{head} to v{destination} when database_admin=False. \
                 See {ABOUT_MIGRATIONS} for more information"
            )
        } else {
            cannot_connect(head)
        });
    }
    checked(head, destination, "the database")
}

/// What is to be done with one dataset, once the database is at `database`.
pub fn dataset(
    name: &str,
    head: &Release,
    destination: Option<&Release>,
    database: &Release,
    admin: bool,
) -> Decision {
    let asked = destination.is_some();
    // A database that is newer than this program can be compatible; its datasets go as far as we know.
    let destination =
        destination.unwrap_or(if base(database) > *newest() { newest() } else { database });
    if (!asked && may_stay(head, admin)) || head == destination {
        return Decision::Stay;
    }
    if !admin && asked && destination != database {
        return Decision::Forbid(format!(
            "Cannot migrate dataset '{name}' from v{head} to v{destination} when database_admin=False. \
             See {ABOUT_MIGRATIONS} for more information"
        ));
    }
    checked(head, destination, &format!("dataset `{name}`"))
}

/// Whether a dataset may go down on its way there, which takes a right of its own: one that does not say where it is may be
/// anywhere below the newest version.
pub fn may_go_down(head: Option<&Release>, destination: &Release) -> bool {
    direction(head.unwrap_or(newest()), destination) == Some(Direction::Down)
}

/// FiftyOne's sentence for a database that a non-admin cannot open.
pub fn cannot_connect(head: &Release) -> String {
    format!(
        "Cannot connect to database v{head} with client v{COMPATIBILITY_VERSION} (compatibility \
         {OTHER_COMPATIBLE_VERSIONS}). See {ABOUT_MIGRATIONS} for more information"
    )
}

fn may_stay(head: &Release, admin: bool) -> bool {
    is_compatible(head) && (!admin || base(head) > *newest())
}

fn checked(head: &Release, destination: &Release, what: &str) -> Decision {
    let newest = newest();
    if base(destination) > *newest {
        return Decision::Forbid(format!(
            "{what} cannot be taken to v{destination}: the newest version this program knows is v{newest}; \
             use a newer fiftyone-migrate"
        ));
    }
    if base(head) > *newest {
        return Decision::Refuse(format!(
            "{what} is at v{head}, which is newer than v{newest}, the newest version this program knows; \
             use a newer fiftyone-migrate"
        ));
    }
    Decision::Migrate(destination.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        text.parse().unwrap()
    }

    fn of_database(head: &str, destination: Option<&str>, admin: bool) -> Decision {
        database(Some(&release(head)), destination.map(release).as_ref(), admin)
    }

    fn of_dataset(head: &str, destination: Option<&str>, at: &str, admin: bool) -> Decision {
        dataset("d", &release(head), destination.map(release).as_ref(), &release(at), admin)
    }

    fn to(version: &str) -> Decision {
        Decision::Migrate(release(version))
    }

    #[test]
    fn an_admin_takes_an_older_database_to_this_version() {
        assert_eq!(of_database("1.0.0", None, true), to("1.22.1"));
        assert_eq!(of_database("0.18.0", None, true), to("1.22.1"));
        assert_eq!(of_database("1.22.1", None, true), Decision::Stay);
        assert_eq!(of_database("1.22.1", Some("1.0.0"), true), to("1.0.0"));
    }

    #[test]
    fn a_compatible_newer_database_stays_and_an_incompatible_one_is_refused() {
        assert_eq!(of_database("1.99.0", None, true), Decision::Stay);
        assert!(matches!(of_database("2.0.0", None, true), Decision::Refuse(_)));
        assert!(matches!(of_database("1.0.0", Some("1.99.0"), true), Decision::Forbid(_)));
    }

    #[test]
    fn without_the_admin_right_a_database_is_never_moved() {
        assert_eq!(of_database("1.0.0", None, false), Decision::Stay);
        let Decision::Forbid(why) = of_database("0.18.0", None, false) else { panic!() };
        assert!(why.starts_with("Cannot connect to database v0.18.0 with client v1.22.1"), "{why}");
        let Decision::Forbid(why) = of_database("1.22.1", Some("1.0.0"), false) else { panic!() };
        assert!(why.contains("from v1.22.1 to v1.0.0 when database_admin=False. See"), "{why}");
    }

    #[test]
    fn a_dataset_follows_the_database() {
        assert_eq!(of_dataset("0.21.0", None, "1.22.1", true), to("1.22.1"));
        assert_eq!(of_dataset("0.21.0", None, "1.0.0", true), to("1.0.0"));
        assert_eq!(of_dataset("1.22.1", None, "1.22.1", true), Decision::Stay);
    }

    #[test]
    fn a_dataset_of_a_newer_database_goes_as_far_as_this_program_knows() {
        assert_eq!(of_dataset("0.21.0", None, "1.99.0", true), to("1.22.1"));
        assert_eq!(of_dataset("0.18.0", None, "1.99.0", false), to("1.22.1"));
        assert_eq!(of_dataset("1.22.1", None, "1.99.0", true), Decision::Stay);
        assert_eq!(of_dataset("1.99.0", None, "1.99.0", true), Decision::Stay);
        assert!(matches!(of_dataset("1.0.0", Some("1.99.0"), "1.99.0", true), Decision::Forbid(_)));
    }

    #[test]
    fn without_the_admin_right_a_dataset_only_moves_to_the_version_of_the_database() {
        assert_eq!(of_dataset("0.21.0", None, "1.22.1", false), Decision::Stay);
        assert_eq!(of_dataset("0.18.0", None, "1.22.1", false), to("1.22.1"));
        assert_eq!(of_dataset("0.21.0", Some("1.22.1"), "1.22.1", false), to("1.22.1"));
        let refused = of_dataset("1.22.1", Some("1.0.0"), "1.22.1", false);
        assert!(
            matches!(refused, Decision::Forbid(why) if why.contains("database_admin=False. See"))
        );
    }

    #[test]
    fn what_does_not_say_where_it_is_may_go_down_unless_it_goes_as_high_as_can_be() {
        let down = |head: Option<&str>, to| may_go_down(head.map(release).as_ref(), &release(to));
        assert!(down(Some("1.22.1"), "1.0.0") && down(None, "1.0.0"));
        assert!(!down(Some("0.18.0"), "1.0.0") && !down(None, "1.22.1"));
        assert!(!down(Some("1.0.0"), "1.0.0"));
    }

    #[test]
    fn pre_releases_count_as_their_release_but_are_another_version() {
        assert_eq!(of_database("1.22.1rc2", None, true), to("1.22.1"));
        assert_eq!(of_database("1.22", Some("1.22.0"), true), Decision::Stay);
    }
}
