//! One case for each revision and direction, made from the catalogue: a new revision has one from the start.

use std::collections::BTreeSet;

use bson::{DateTime, doc};
use engine::{Control, Request, State as Became};
use revisions::{Release, admin};
use tests::{Dump, Mongod, NEWEST, State, console, to};
use tokio::sync::OnceCell;

use crate::place::{Place, What};

/// Below the oldest revision.
const BOTTOM: &str = "0.6.1";

/// A step across one border.
#[derive(Clone, Debug)]
pub struct Case {
    /// `up-1.0.0`
    pub name: String,
    /// What is there before.
    pub before: Dump,
    /// What the archive has then.
    pub archive: Dump,
    /// Where to.
    pub to: String,
    /// The version on whose border it is; of the last one no revision.
    pub border: String,
}

/// The versions on whose borders something happens, oldest first, and this program's, with or without something.
pub fn borders() -> Vec<String> {
    let of_datasets = revisions::ALL.iter().map(|it| &it.version);
    let all = of_datasets.chain(admin::ALL.iter().map(|it| &it.version)).map(ToString::to_string);
    let mut all: Vec<Release> =
        all.chain([NEWEST.to_owned()]).map(|it| it.parse().unwrap()).collect();
    all.sort();
    all.dedup();
    all.iter().map(ToString::to_string).collect()
}

/// Every case, made once for all tests, and since when all times in them are new. Each database is what the steps down before it have made of one that the real FiftyOne has left at the
/// newest version, without the datasets that cannot go further.
pub async fn all() -> (DateTime, &'static [Case]) {
    static ALL: OnceCell<(DateTime, Vec<Case>)> = OnceCell::const_new();
    let (begun, cases) = ALL.get_or_init(make_all).await;
    (*begun, cases)
}

async fn make_all() -> (DateTime, Vec<Case>) {
    let (begun, server) = (DateTime::now(), Mongod::shared());
    let mut rich = State::newest().collections;
    // Nothing but the border of 0.15.0 touches what no dataset uses.
    rich.insert("samples.0123456789abcdef01234567".to_owned(), vec![doc! { "_id": 1, "a": 2 }]);
    let place = Place::with(server, "chain", begun, &rich).await;
    let mut cases = Vec::new();
    let borders = borders();
    let below = [BOTTOM.to_owned()].into_iter().chain(borders.clone());
    let steps: Vec<(String, String)> = below.zip(borders).collect();
    for (low, high) in steps.into_iter().rev() {
        drop_what_cannot_go(&place, &low).await;
        let made = |way: &str, to: &str, (before, archive): (Dump, Dump)| {
            let name = format!("{way}-{}", high.replace('.', "-"));
            Case { name, before, archive, to: to.to_owned(), border: high.clone() }
        };
        let above = place.deployment.dump().await;
        let came = place.does(&What::Migrate(low.clone())).await;
        assert_eq!(came.left, Vec::<String>::new(), "down to {low}");
        let below = place.deployment.dump().await;
        cases.push(made("down", &low, (above, Dump::new())));
        // What this step has dropped comes back.
        cases.push(made("up", &high, (below, place.archive().await)));
        place.forget().await;
    }
    place.vanish().await;
    (begun, cases)
}

/// The demo, whose datasets never were at the newest version: there is more to do for them than for those that only went
/// back. Across all borders at once.
pub async fn garden(server: &Mongod, begun: DateTime) -> [Case; 2] {
    let place = Place::with(server, "garden", begun, &Dump::new()).await;
    place.deployment.engine().await.plant_demo(&console()).await.unwrap();
    place.deployment.configure_anew("0.14.0").await;
    drop_what_cannot_go(&place, NEWEST).await;
    let before = place.deployment.dump().await;
    let came = place.does(&What::Migrate(NEWEST.to_owned())).await;
    assert_eq!(came.left, Vec::<String>::new());
    drop_what_cannot_go(&place, "0.14.0").await;
    let after = place.deployment.dump().await;
    place.vanish().await;
    let made = |name: &str, before: Dump, to: &str| {
        let (name, to) = (name.to_owned(), to.to_owned());
        Case { name, before, archive: Dump::new(), to, border: String::new() }
    };
    [made("garden-up", before, NEWEST), made("garden-down", after, "0.14.0")]
}

async fn drop_what_cannot_go(place: &Place, version: &str) {
    let (control, _meter, _events) = Control::new();
    let engine = place.deployment.engine().await;
    let dry = Request { dry_run: true, ..to(version) };
    let report = engine.migrate(&console(), dry, control).await.unwrap();
    let refused = report.datasets.iter().filter(|it| it.state == Became::Refused);
    let names: BTreeSet<&str> = refused.filter_map(|it| it.name.as_deref()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let those = doc! { "name": { "$in": names } };
    place.deployment.collection("datasets").delete_many(those).await.unwrap();
}
