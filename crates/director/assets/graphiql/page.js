// GraphiQL with a client of Tidegate's own: the token lives in this page alone, and is gone with it.
"use strict";

const input = (id) => document.getElementById(id);
const root = ReactDOM.createRoot(input("graphiql"));
let token = null;
let signedIn = 0;

async function ask(url, options) {
  const headers = { ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (input("tenant").value) headers.Tenant = input("tenant").value;
  return fetch(url, { ...options, headers });
}

// Another key makes GraphiQL read the schema anew.
function show() {
  const fetcher = GraphiQL.createFetcher({ url: "/graphql", fetch: ask });
  root.render(React.createElement(GraphiQL, { key: signedIn, fetcher, defaultQuery: "{ tenants { data { id name } } }" }));
}

input("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: input("client").value,
    client_secret: input("secret").value,
  });
  const answer = await fetch(document.body.dataset.tokenUrl, { method: "POST", body: form });
  const told = await answer.json();
  token = told.access_token ?? null;
  input("said").textContent = token ? `signed in for ${told.expires_in} s` : (told.error_description ?? told.error);
  signedIn += 1;
  show();
});

show();
