//! Media that go elsewhere, and paths with them.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{CleanReport, MediaSurvey, UploadPage, UploadQuestion, UploadSummary};

use super::ApiError;

/// Every upload, the last one first. Reading changes nothing.
#[server(endpoint = "media/uploads", input = GetUrl)]
pub async fn uploads() -> Result<Vec<UploadSummary>, ApiError> {
    let permit = super::gate::require(model::Action::MoveMedia)?;
    Ok(expect_context::<engine::Engine>().uploads(&permit).await?)
}

/// One upload, and what it has come to. Reading changes nothing.
#[server(endpoint = "media/upload", input = GetUrl)]
pub async fn shown_upload(
    id: String,
    #[server(default)] paths: bool, // whether it is looked what would become of the paths
) -> Result<UploadPage, ApiError> {
    let permit = super::gate::require(model::Action::MoveMedia)?;
    Ok(expect_context::<engine::Engine>().upload_page(&permit, &id, paths).await?)
}

/// Which files there are, and where they would go. Reading changes nothing.
#[server(endpoint = "media/survey", input = GetUrl)]
pub async fn survey_media(question: UploadQuestion) -> Result<MediaSurvey, ApiError> {
    let permit = super::gate::require(model::Action::MoveMedia)?;
    let engine = expect_context::<engine::Engine>();
    let request = asked(&engine, question).await?;
    let progress = engine::TransferProgress::new(1, 0);
    Ok(engine.survey_media(&permit, &request, &progress).await?)
}

/// Tries whether media can be taken to the destination, and leads back to the question.
#[server(endpoint = "media/test")]
pub async fn test_destination(question: UploadQuestion) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::MoveMedia)?;
    let engine = expect_context::<engine::Engine>();
    let test = engine.test_destination(&permit, question.to.trim()).await?;
    let (what, why): (Vec<_>, Vec<_>) = test.steps.into_iter().unzip();
    if !test.is_good {
        let why: Vec<String> = why.into_iter().flatten().collect();
        return Err(super::gate::refuse(ApiError::Refused { reason: why.join("; ") }));
    }
    let works = what.into_iter().zip(why).filter(|(_, why)| why.is_none()).map(|(it, _)| it);
    let works: Vec<String> = works.collect();
    leptos_axum::redirect(&format!("{}&tested={}", question.address(), works.join(",")));
    Ok(())
}

/// Begins an upload, and leads to where one sees how far it is.
#[server(endpoint = "media/begin")]
pub async fn begin_upload(question: UploadQuestion) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::MoveMedia)?;
    let engine = expect_context::<engine::Engine>();
    let request = asked(&engine, question).await?;
    let id = engine.begin_upload(&permit, request).await?;
    leptos_axum::redirect(&format!("/media/{id}"));
    Ok(())
}

/// Goes on with an upload; only with files that have failed for a cause, if one is given.
#[server(endpoint = "media/resume")]
pub async fn resume_upload(
    id: String,
    #[server(default)] only: String,   // empty for all
    #[server(default)] verify: String, // anything: nothing is sent
) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::MoveMedia)?;
    let engine = expect_context::<engine::Engine>();
    engine.resume_upload(&permit, &id, &only, !verify.is_empty()).await?;
    leptos_axum::redirect(&format!("/media/{id}"));
    Ok(())
}

/// Asks an upload to end.
#[server(endpoint = "media/stop")]
pub async fn stop_upload(id: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::MoveMedia)?;
    expect_context::<engine::Engine>().stop_upload(&permit, &id).await?;
    leptos_axum::redirect(&format!("/media/{id}"));
    Ok(())
}

/// Changes how fast an upload goes.
#[server(endpoint = "media/limits")]
pub async fn limit_upload(id: String, side_by_side: String, mib: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::MoveMedia)?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (Some(side_by_side @ 1..=256), Some(mib @ 0..=1_000_000)) =
        (number(&side_by_side), number(&mib))
    else {
        let reason =
            "requests side by side are a number from 1 to 256, and MiB a second one from 0 for any"
                .to_owned();
        return Err(super::gate::refuse(ApiError::Refused { reason }));
    };
    let engine = expect_context::<engine::Engine>();
    engine.limit_upload_with(&permit, &id, (side_by_side, mib << 20)).await?;
    leptos_axum::redirect(&format!("/media/{id}"));
    Ok(())
}

/// Lets the paths of the dataset lead to what was uploaded and verified.
#[server(endpoint = "media/rewrite")]
pub async fn rewrite_paths(id: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::MoveMedia)?;
    let (engine, of) = (expect_context::<engine::Engine>(), id.clone());
    engine::to_its_end(async move { engine.rewrite_to_upload(&permit, &of).await }).await?;
    leptos_axum::redirect(&format!("/media/{id}"));
    Ok(())
}

/// Brings paths back that were rewritten.
#[server(endpoint = "media/undo")]
pub async fn undo_rewrite(id: String, rewrite: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::MoveMedia)?;
    let engine = expect_context::<engine::Engine>();
    engine::to_its_end(async move {
        let (control, _meter, _events) = engine::Control::new();
        let progress = engine::TransferProgress::new(1, 0);
        engine.undo_rewrite(&permit, &rewrite, None, control, &progress).await
    })
    .await?;
    leptos_axum::redirect(&format!("/media/{id}"));
    Ok(())
}

/// Which files would be removed here, once everything is verified and nothing refers to them.
#[server(endpoint = "media/clean_up_plan", input = GetUrl)]
pub async fn clean_up_plan(id: String) -> Result<CleanReport, ApiError> {
    let permit = super::gate::require(model::Action::RemoveMedia)?;
    let engine = expect_context::<engine::Engine>();
    let upload = engine.upload_of(&permit, &id).await?;
    let progress = engine::TransferProgress::new(16, 0);
    let which = (upload.dataset.as_str(), upload.destination.as_str());
    Ok(engine.clean_up_media(&permit, which, true, &progress).await?)
}

/// Removes them, for whoever types the name of the dataset.
#[server(endpoint = "media/clean_up")]
pub async fn clean_up(id: String, typed: String, password: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::RemoveMedia)?;
    let engine = expect_context::<engine::Engine>();
    let upload = engine.upload_of(&permit, &id).await?;
    if typed.trim() != upload.name {
        let reason =
            format!("type {}, the name of the dataset, to remove its files here", upload.name);
        return Err(super::gate::refuse(ApiError::Refused { reason }));
    }
    engine.accounts().confirm(&permit, &password).await?;
    engine::to_its_end(async move {
        let progress = engine::TransferProgress::new(16, 0);
        let which = (upload.dataset.as_str(), upload.destination.as_str());
        engine.clean_up_media(&permit, which, false, &progress).await
    })
    .await?;
    leptos_axum::redirect(&format!("/media/{id}"));
    Ok(())
}

/// What is asked for, of the dataset that is meant by a name or an id.
#[cfg(feature = "ssr")]
async fn asked(
    engine: &engine::Engine,
    mut question: UploadQuestion,
) -> Result<engine::UploadRequest, ApiError> {
    question.dataset = engine.dataset_id(question.dataset.trim()).await?;
    Ok(engine::UploadRequest::asked(&question)?)
}
