//! Generates messages, clients and servers from `proto/`, without protoc.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use prost::Message as _;

const ROOT: &str = "../../proto";

/// The package that strangers call.
const PUBLIC: &str = "tidegate.v1";

#[expect(clippy::disallowed_methods, reason = "Cargo tells a build script where to write in the environment")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={ROOT}");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files = Vec::new();
    find(Path::new(ROOT), &mut files)?;
    files.sort();
    let descriptors = protox::compile(&files, [ROOT])?;
    fs::write(out.join("tidegate.bin"), descriptors.encode_to_vec())?;
    let public = descriptors.file.iter().filter(|file| file.package() == PUBLIC);
    let services: Vec<Service> = public.flat_map(|file| &file.service).map(Service::read).collect();
    fs::write(out.join("services.rs"), text(&services)?)?;
    tonic_prost_build::configure().build_transport(false).compile_fds(descriptors)?;
    Ok(())
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

/// What is generated for a public service: a trait in the domain's own terms, and what carries tonic's trait out over it. Whoever
/// implements it names neither tonic nor statuses.
struct Service {
    name: String,
    module: String,
    methods: Vec<Method>,
}

struct Method {
    name: String,
    request: String,
    response: String,
}

impl Service {
    fn read(service: &prost_types::ServiceDescriptorProto) -> Self {
        let local = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        let methods = service.method.iter().map(|method| Method {
            name: snake(method.name()),
            request: local(method.input_type()),
            response: local(method.output_type()),
        });
        Self {
            name: service.name().to_owned(),
            module: format!("{}_server", snake(service.name())),
            methods: methods.collect(),
        }
    }
}

fn text(services: &[Service]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for Service { name, module, methods } in services {
        writeln!(text, "pub trait {name}: Admits {{")?;
        for Method { name, request, response } in methods {
            writeln!(
                text,
                "    fn {name}(&self, caller: &Self::Caller, request: {request}) -> impl Future<Output = Result<{response}, Error>> + Send;"
            )?;
        }
        writeln!(text, "}}\n\n#[async_trait]\nimpl<F: {name}> {module}::{name} for Served<F> {{")?;
        for Method { name, request, response } in methods {
            writeln!(
                text,
                "    async fn {name}(&self, request: Request<{request}>) -> Result<Response<{response}>, Status> {{\n        \
                 let (caller, request) = opened::<F::Caller, _>(request)?;\n        \
                 answered(self.0.{name}(&caller, request).await)\n    }}"
            )?;
        }
        writeln!(text, "}}\n")?;
    }
    let all: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let all = all.join(" + ");
    writeln!(text, "pub trait Face: {all} {{}}\n\nimpl<F: {all}> Face for F {{}}\n")?;
    writeln!(text, "pub(super) fn services<F: Face>(face: &Arc<F>, limit: usize) -> (Routes, Vec<&'static str>) {{")?;
    writeln!(text, "    let mut routes = Routes::default();\n    let mut names = Vec::new();")?;
    for Service { name, module, .. } in services {
        writeln!(
            text,
            "    routes = routes.add_service({module}::{name}Server::new(Served(face.clone())).max_decoding_message_size(limit));\n    \
             names.push({module}::SERVICE_NAME);"
        )?;
    }
    writeln!(text, "    (routes, names)\n}}")?;
    Ok(text)
}

/// `GetTenant` as `get_tenant`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (i, letter) in name.char_indices() {
        if letter.is_uppercase() && i > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
