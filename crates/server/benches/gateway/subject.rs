//! What is measured: Tidegate in each way in which it lives, and nginx with Lua.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::load::Target;
use crate::requests::{mapping, target};
use crate::shared::asked::{Tested, Way};
use crate::shared::process::Measured;
use crate::shared::tidegate::Tidegate;
use crate::shared::{eventually, free_ports};
use crate::{many, nginx};

/// What both do, in the words that both know.
const MAPPING: &str = r"
local lines, total = {}, 0
for place, item in ipairs(order.items) do
  local amount = item.qty * item.price
  total = total + amount
  lines[place] = { position = place, article = string.upper(item.sku), quantity = item.qty, amount = amount }
end
local result = { order = order.id, customer = order.customer.name, city = order.customer.address.city, lines = lines, total = total }
";

/// What is under load.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) target: Target,
    runs: Runs,
}

enum Runs {
    Tidegate(Box<Tidegate>),
    Nginx(Measured),
}

/// So many Integrations are called of those that there are: more than any cache of theirs holds.
const CALLED: u32 = 50_000;

impl Subject {
    /// Starts Tidegate with so many Integrations that map; more than one on SQLite alone.
    pub(crate) async fn tidegate(tested: &Tested, way: Way, folder: &Path, integrations: u32) -> Self {
        let mut tidegate = Tidegate::start(tested, way, &folder.join(format!("tidegate-{integrations}"))).await;
        let mut paths =
            vec![applied(&tidegate, "acme", &format!("local order = parameters{MAPPING}return result")).await];
        let mut name = format!("Tidegate, {way}");
        if integrations > 1 {
            tidegate.stop();
            many::multiply(&tidegate.ground, integrations).await;
            tidegate.resume();
            let called = integrations.min(CALLED);
            // Evenly among all, in an order that has nothing to do with that in which they were made.
            let place = |number: u32| u64::from(number) * 7919 % u64::from(called) * u64::from(integrations / called);
            paths = (0..called).map(|n| format!("/webhook/{}", many::key(u32::try_from(place(n)).unwrap()))).collect();
            name = format!("{integrations} Integrations");
        }
        Self { name, target: mapping(tidegate.gateway, &paths), runs: Runs::Tidegate(Box::new(tidegate)) }
    }

    pub(crate) fn is_nginx(&self) -> bool {
        matches!(self.runs, Runs::Nginx(_))
    }

    /// A key that nobody has.
    pub(crate) fn nowhere(&self) -> Target {
        let path = format!("/webhook/{}", "x".repeat(43));
        target(&self.target.address, &[path]).0
    }

    /// An Integration of another tenant of this Tidegate, with this core logic.
    pub(crate) async fn neighbour(&self, tenant: &str, core: &str) -> Target {
        let Runs::Tidegate(tidegate) = &self.runs else { panic!("{} has no tenants", self.name) };
        let path = applied(tidegate, tenant, core).await;
        target(&self.target.address, &[path]).0
    }

    /// Starts nginx with as many workers as there are processors; `None`, visibly, where it is not installed.
    pub(crate) fn nginx(folder: &Path) -> Option<Self> {
        let installed = Path::new("/usr/sbin/nginx").exists()
            && Path::new("/etc/nginx/modules-enabled/50-mod-http-lua.conf").exists();
        if !installed {
            println!("nginx with its Lua module is not installed: Tidegate is measured alone");
            return None;
        }
        let [port] = free_ports();
        let folder = folder.join("nginx");
        std::fs::create_dir(&folder).unwrap();
        // What Debian's files name is looked for below the folder that nginx is told to live in.
        std::os::unix::fs::symlink("/usr/lib/nginx/modules", folder.join("modules")).unwrap();
        let configuration = folder.join("nginx.conf");
        std::fs::write(&configuration, nginx::configuration(&folder, port, MAPPING)).unwrap();
        let mut nginx = Command::new("/usr/sbin/nginx");
        let process = Measured::new(nginx.arg("-p").arg(&folder).arg("-c").arg(&configuration).spawn().unwrap());
        eventually("nginx listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        let target = mapping(port, &["/map".to_owned()]);
        Some(Self { name: "nginx + Lua".to_owned(), target, runs: Runs::Nginx(process) })
    }

    /// What each of its processes has used so far, by its role.
    pub(crate) fn processor_times(&self) -> Vec<(&'static str, Duration)> {
        match &self.runs {
            Runs::Tidegate(tidegate) => tidegate.processor_times(),
            Runs::Nginx(process) => vec![("nginx", process.processor_time())],
        }
    }

    /// Waits until all records are in the database, and answers how long; `None` where they are there before the answer.
    pub(crate) async fn settle(&self) -> Option<Duration> {
        let Runs::Tidegate(tidegate) = &self.runs else { return None };
        tidegate.ground.settle().await
    }

    /// The most that its processes have held, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        match &self.runs {
            Runs::Tidegate(tidegate) => tidegate.peak_memory(),
            Runs::Nginx(process) => process.peak_memory(),
        }
    }

    /// Leaves nothing on the servers.
    pub(crate) async fn end(self) {
        if let Runs::Tidegate(mut tidegate) = self.runs {
            tidegate.end().await;
        }
    }
}

/// Makes an Integration of the tenant, with this core logic; answers the path of its webhook.
async fn applied(tidegate: &Tidegate, tenant: &str, core: &str) -> String {
    let mut client = tidegate.make_tenant(tenant).await;
    let logic = client.make_core("map", core).await;
    let input = json!({ "name": "map", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": logic });
    let made = client.make("Integration", "webhookUrl", &input).await;
    let url = made["webhookUrl"].as_str().unwrap();
    format!("/webhook/{}", url.split_once("/webhook/").unwrap().1)
}
