//! Several documents where FiftyOne keeps one: the database's version is not certain, and older clients cannot connect.

use bson::{Bson, Document};

use super::{Finding, Kind, Outcome, Patient, Remedy, Surgery, finding::length, surgery::doctor};
use crate::{pass::Halt, store::Failure};

pub(super) const KIND: Kind = Kind {
    name: "several_configs",
    find: |patient| Box::pin(find(patient)),
    mend: |surgery, finding| Box::pin(mend(surgery, finding)),
};

async fn find(patient: &Patient) -> Result<Vec<Finding>, Failure> {
    Ok(judge(&patient.store.configs().await?).into_iter().collect())
}

/// `configs`: all of them, the newest first, which is the one that FiftyOne goes by.
fn judge(configs: &[Document]) -> Option<Finding> {
    let [kept, others @ ..] = configs else { return None };
    if others.is_empty() {
        return None;
    }
    let problem = format!(
        "the collection `config` holds {} documents instead of one, and FiftyOne goes by the newest, {}",
        configs.len(),
        described(kept)
    );
    let remedy = if version(kept).is_none() && others.iter().any(|it| version(it).is_some()) {
        Remedy::Person(
            "decide which one is right, and delete the others: the newest has no version, and FiftyOne would take the \
             database to be at its own"
                .to_owned(),
        )
    } else {
        doctor(format!("keep the newest, {}, and delete the others", described(kept)))
    };
    let finding = Finding::new(KIND.name, None, problem, remedy);
    Some(finding.count("documents", length(configs)).show(configs.iter().map(described)))
}

async fn mend(surgery: &Surgery, finding: &Finding) -> Result<Outcome, Halt> {
    let store = &surgery.patient.store;
    let configs = store.configs().await?;
    if !judge(&configs).is_some_and(|it| it.is_mendable()) {
        return Ok(Outcome::Left("somebody has changed them meanwhile; look again".to_owned()));
    }
    let others: Vec<&Document> = configs.iter().skip(1).collect();
    let kept = others.iter().map(|it| ("config".to_owned(), (*it).clone())).collect();
    let record = surgery.begin(finding, kept, Vec::new()).await?;
    let left = store.delete_unchanged("config", &others).await?;
    let done = format!("deleted {} of {} documents", others.len() - left, configs.len());
    surgery.end(record, &done).await?;
    Ok(if left == 0 {
        Outcome::Mended(done)
    } else {
        Outcome::Left(format!("{done}; somebody has changed the others meanwhile"))
    })
}

fn version(config: &Document) -> Option<&str> {
    config.get_str("version").ok()
}

fn described(config: &Document) -> String {
    let id = match config.get("_id") {
        Some(Bson::ObjectId(id)) => id.to_hex(),
        other => other.map(ToString::to_string).unwrap_or_default(),
    };
    version(config).map_or_else(|| format!("{id} without a version"), |it| format!("{id} at v{it}"))
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn one_config_is_right_and_none_is_an_empty_database() {
        assert!(judge(&[]).is_none());
        assert!(judge(&[doc! { "_id": 1 }]).is_none());
    }

    #[test]
    fn the_newest_is_kept_unless_it_knows_less_than_the_others() {
        let newest = doc! { "_id": 2, "version": "1.0.0" };
        let older = doc! { "_id": 1, "version": "0.19.0" };
        let finding = judge(&[newest.clone(), older.clone()]).unwrap();
        assert!(finding.is_mendable() && finding.problem.contains("2 at v1.0.0"), "{finding:?}");
        let finding = judge(&[doc! { "_id": 3 }, older]).unwrap();
        assert!(!finding.is_mendable(), "{finding:?}");
        assert!(judge(&[doc! { "_id": 3 }, doc! { "_id": 1 }]).unwrap().is_mendable());
    }
}
