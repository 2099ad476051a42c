// Puts GraphiQL on the page: queries and mutations over HTTP, subscriptions over one socket.

import { EXAMPLES } from './examples.js';
import { openLive } from './live.js';
import { authorization, fetchAsked, startSession } from './session.js';

const HTTP_URL = new URL('/graphql', location.href).href;
const SOCKET_URL = HTTP_URL.replace(/^http/, 'ws');

// The keys under which GraphiQL keeps its tabs between visits.
const KEPT_TABS = ['graphiql:tabState', 'graphiql:query', 'graphiql:variables'];
const RESTORE = 'careergraph.restore-examples';

const root = ReactDOM.createRoot(document.getElementById('graphiql'));
const plugins = [GraphiQLPluginExplorer.explorerPlugin()];

let live = null;
let fetcher = null;

function render() {
  root.render(
    React.createElement(GraphiQL, {
      fetcher,
      plugins,
      defaultTabs: EXAMPLES,
      defaultEditorToolsVisibility: 'variables',
      shouldPersistHeaders: false,
    }),
  );
}

// A socket is signed in when it opens, so another token wants another socket.
function connect() {
  live?.dispose();
  live = openLive(SOCKET_URL, authorization);
  fetcher = GraphiQL.createFetcher({
    url: HTTP_URL,
    headers: authorization(),
    fetch: fetchAsked,
    wsClient: live,
  });
  render();
}

// GraphiQL writes its tabs half a second after each change, so they are forgotten between two pages.
function askToRestoreExamples() {
  if (!confirm('Replace all tabs by the example operations?')) return;
  sessionStorage.setItem(RESTORE, 'yes');
  location.reload();
}

function restoreExamplesIfAsked() {
  if (!sessionStorage.getItem(RESTORE)) return;
  sessionStorage.removeItem(RESTORE);
  for (const key of KEPT_TABS) localStorage.removeItem(key);
}

document.getElementById('restore-examples').addEventListener('click', askToRestoreExamples);
restoreExamplesIfAsked();
startSession(HTTP_URL, connect);
