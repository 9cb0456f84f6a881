//! The adapters of the guard, each around a handler and called in process.

pub(crate) mod actix;
pub(crate) mod axum;
pub(crate) mod tower;

use actix_web::App;
use actix_web::test::{call_service, init_service};
use keywright::http::Guard;

use crate::exchange::{Answered, Asked, Witness};

/// A way to put a guard in front of a handler.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Face {
    /// The guard as a layer around a service, which finds the grant in the request's extensions.
    TowerLayer,
    /// The guard as a layer around an axum router, whose handler takes the grant as an extractor.
    AxumLayer,
    /// No layer: the guard is the router's state, and the grant an extractor.
    AxumExtractor,
    /// The guard as a middleware of actix-web, and the grant as an extractor.
    ActixMiddleware,
    /// No middleware: the guard is in the app's data, and the grant an extractor.
    ActixExtractor,
}

pub(crate) const ALL: &[Face] = &[
    Face::TowerLayer,
    Face::AxumLayer,
    Face::AxumExtractor,
    Face::ActixMiddleware,
    Face::ActixExtractor,
];

/// The faces whose guard sees a request before the handler's framework does.
pub(crate) const AROUND: &[Face] = &[Face::TowerLayer, Face::AxumLayer, Face::ActixMiddleware];

/// The faces whose handler takes the grant as an extractor.
pub(crate) const EXTRACTED: &[Face] =
    &[Face::AxumLayer, Face::AxumExtractor, Face::ActixMiddleware, Face::ActixExtractor];

/// The handler's extractor. The tower face has none, and takes the grant from the extensions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Taken {
    Grant,
    /// `Option<Grant>` in axum, `OptionalGrant` in actix-web.
    Optional,
}

impl Face {
    /// Puts the guard around a handler that answers every request, and sends the request.
    pub(crate) async fn ask(self, guard: &Guard, taken: Taken, asked: &Asked) -> Answered {
        let witness = Witness::default();
        match self {
            Self::TowerLayer => tower::ask(tower::guarded(guard, &witness), asked, &witness).await,
            Self::AxumLayer => {
                let routes = axum::routes(taken, &witness).layer(guard.clone());
                axum::ask(routes.with_state(guard.clone()), asked, &witness).await
            }
            Self::AxumExtractor => {
                let routes = axum::routes(taken, &witness).with_state(guard.clone());
                axum::ask(routes, asked, &witness).await
            }
            Self::ActixMiddleware => {
                let handler = actix::handler(taken, &witness);
                let app = App::new().wrap(guard.clone()).default_service(handler);
                let app = init_service(app).await;
                let response = call_service(&app, actix::request(asked).to_request()).await;
                actix::answered(response, &witness).await
            }
            Self::ActixExtractor => {
                let handler = actix::handler(taken, &witness);
                let app = App::new().app_data(guard.clone()).default_service(handler);
                let app = init_service(app).await;
                let response = call_service(&app, actix::request(asked).to_request()).await;
                actix::answered(response, &witness).await
            }
        }
    }
}
