//! The routes, read from `template.yaml`: the one list of them, for AWS and for this gateway.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

const TEMPLATE: &str = include_str!("../../template.yaml");

/// What the template declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The HTTP API's routes.
    pub routes: Vec<HttpRoute>,
    /// Functions of the WebSocket API by route key (`$connect`, `$default`, `$disconnect`).
    pub socket_routes: BTreeMap<String, String>,
    /// The WebSocket API's stage.
    pub stage: String,
    /// The functions' logical ids by their binaries.
    pub functions: BTreeMap<String, String>,
}

/// One route of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRoute {
    /// `GET`, `POST` … or `ANY`.
    pub method: String,
    /// As API Gateway writes it: `/api/visitor/{proxy+}`.
    pub path: String,
    /// The function's binary.
    pub function: String,
}

impl HttpRoute {
    /// API Gateway's route key, `POST /telegram/webhook`.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The template cannot be understood.
#[derive(Debug, PartialEq, Eq)]
pub struct BadTemplate(String);

impl std::fmt::Display for BadTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "template.yaml: {}", self.0)
    }
}

impl std::error::Error for BadTemplate {}

impl Template {
    /// Reads the template that this gateway was built with.
    pub fn built_in() -> Result<Self, BadTemplate> {
        Self::read(TEMPLATE)
    }

    /// Reads a template. The tags of `CloudFormation` (`!Ref`, `!GetAtt`, `!Sub`) are read as the text behind them.
    pub fn read(text: &str) -> Result<Self, BadTemplate> {
        let template: Value = serde_saphyr::from_str(text).map_err(|error| BadTemplate(error.to_string()))?;
        let resources = object(&template, "Resources").ok_or_else(|| BadTemplate("it has no Resources".into()))?;
        let mut read = Self {
            routes: Vec::new(),
            socket_routes: BTreeMap::new(),
            stage: String::new(),
            functions: BTreeMap::new(),
        };
        for (name, resource) in resources {
            match text_of(resource, "/Type") {
                Some("AWS::ApiGatewayV2::Route") => read.http_route(name, resource, resources)?,
                Some("AWS::Serverless::Function") => {
                    read.functions.insert(binary(name, resource)?, name.clone());
                }
                Some("AWS::Serverless::WebSocketApi") => read.socket_api(resource, resources)?,
                _ => {}
            }
        }
        if read.socket_routes.is_empty() || read.routes.is_empty() {
            return Err(BadTemplate("it declares no routes".into()));
        }
        Ok(read)
    }

    fn http_route(&mut self, name: &str, route: &Value, resources: &Map<String, Value>) -> Result<(), BadTemplate> {
        let bad = |what: &str| BadTemplate(format!("{name}: {what}"));
        let (method, path) = text_of(route, "/Properties/RouteKey")
            .and_then(|key| key.split_once(' '))
            .ok_or_else(|| bad("its RouteKey is no method and path"))?;
        let integration = text_of(route, "/Properties/Target")
            .and_then(|target| target.strip_prefix("integrations/${")?.strip_suffix('}'))
            .and_then(|integration| resources.get(integration))
            .ok_or_else(|| bad("its Target is no integration"))?;
        let arn = text_of(integration, "/Properties/IntegrationUri").unwrap_or_default();
        let function = function(arn, resources).ok_or_else(|| bad("its integration has no function"))?;
        self.routes.push(HttpRoute {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            function: binary(name, function)?,
        });
        Ok(())
    }

    fn socket_api(&mut self, api: &Value, resources: &Map<String, Value>) -> Result<(), BadTemplate> {
        text_of(api, "/Properties/StageName").unwrap_or("default").clone_into(&mut self.stage);
        let routes = api.pointer("/Properties/Routes").and_then(Value::as_object);
        for (key, route) in routes.into_iter().flatten() {
            let arn = text_of(route, "/FunctionArn").unwrap_or_default();
            let resource =
                function(arn, resources).ok_or_else(|| BadTemplate(format!("{key}: no function {arn:?}")))?;
            self.socket_routes.insert(key.clone(), binary(key, resource)?);
        }
        Ok(())
    }
}

/// The resource that `!GetAtt NAME.Arn` speaks of.
fn function<'a>(arn: &str, resources: &'a Map<String, Value>) -> Option<&'a Value> {
    resources.get(arn.strip_suffix(".Arn")?)
}

fn binary(name: &str, resource: &Value) -> Result<String, BadTemplate> {
    let binary = text_of(resource, "/Metadata/BuildProperties/Binary");
    binary.map(str::to_owned).ok_or_else(|| BadTemplate(format!("{name} names no Binary")))
}

fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Map<String, Value>> {
    value.get(key).and_then(Value::as_object)
}

fn text_of<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_routes_of_the_contract_are_in_the_template() {
        let template = Template::built_in().unwrap();

        let routes: BTreeMap<_, _> = template.routes.iter().map(|r| (r.key(), r.function.as_str())).collect();
        assert_eq!(
            routes,
            BTreeMap::from([
                ("ANY /api/visitor/{proxy+}".into(), "visitor"),
                ("ANY /files/{proxy+}".into(), "visitor"),
                ("GET /health".into(), "visitor"),
                ("ANY /api/admin/{proxy+}".into(), "admin"),
                ("DELETE /delete/{proxy+}".into(), "admin"),
                ("POST /telegram/webhook".into(), "telegram"),
            ])
        );
        let sockets = ["$connect", "$default", "$disconnect"].map(|key| template.socket_routes[key].as_str());
        assert_eq!(sockets, ["connect", "message", "disconnect"]);
        assert_eq!(template.stage, "live");
        assert_eq!((template.functions.len(), template.functions["notifier"].as_str()), (8, "NotifierFunction"));
    }

    #[test]
    fn a_template_that_names_an_unknown_function_is_refused() {
        for function in ["ConnectFunction", "VisitorFunction"] {
            let text = TEMPLATE.replace(&format!("!GetAtt {function}.Arn"), "!GetAtt Elsewhere.Arn");
            assert!(Template::read(&text).is_err(), "{function}");
        }
        assert!(Template::read(&TEMPLATE.replace("integrations/${AdminIntegration}", "integrations/${X}")).is_err());
        assert!(Template::read("Resources: {}").is_err());
        assert!(Template::read(": : :").is_err());
    }
}
