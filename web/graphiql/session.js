// The access token of this tab: where it comes from, where it is kept, and what the bar says of it.

const KEY = 'careergraph.token';

const ASK_WHO = 'query WhoAmI { viewer { name email } }';

const bar = {
  state: document.getElementById('session'),
  useToken: document.getElementById('use-token'),
  signOut: document.getElementById('sign-out'),
  dialog: document.getElementById('token-dialog'),
  input: document.getElementById('token'),
  cancel: document.getElementById('token-cancel'),
};

export function authorization() {
  const token = sessionStorage.getItem(KEY);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** Starts the session and calls `onChange` now and whenever the token becomes another one. */
export function startSession(url, onChange) {
  const changed = () => {
    onChange();
    void showWho(url);
  };
  const save = (token) => {
    if (token) sessionStorage.setItem(KEY, token);
    else sessionStorage.removeItem(KEY);
    changed();
  };
  takeTokenFromAddress();
  // A link pasted into this tab only changes the fragment: the page is not loaded again.
  addEventListener('hashchange', () => takeTokenFromAddress() && changed());
  bar.signOut.addEventListener('click', () => save(null));
  bar.useToken.addEventListener('click', () => bar.dialog.showModal());
  bar.cancel.addEventListener('click', () => bar.dialog.close());
  bar.dialog.addEventListener('close', () => (bar.input.value = ''));
  bar.dialog.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault();
    save(bar.input.value.trim().replace(/^Bearer\s+/i, ''));
    bar.dialog.close();
  });
  changed();
}

// A fragment never reaches a server; taking it out of the address keeps it from the history,
// from bookmarks and from whoever looks at the screen.
function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return false;
  sessionStorage.setItem(KEY, token);
  history.replaceState(null, '', location.pathname + location.search);
  return true;
}

async function showWho(url) {
  const asked = authorization();
  if (!asked.Authorization) return show('signed-out', 'Signed out');
  show('checking', 'Signing in…');
  const [state, text] = await who(url, asked);
  // Another token may have been given while the answer was on its way.
  if (authorization().Authorization === asked.Authorization) show(state, text);
}

async function who(url, headers) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query: ASK_WHO, operationName: 'WhoAmI' }),
    });
    if (response.status >= 500) return ['unreachable', `Server error (${response.status})`];
    const viewer = (await response.json()).data?.viewer;
    if (!viewer) return ['refused', 'Token refused: expired, or of another server'];
    return ['signed-in', `Signed in as ${viewer.name}${viewer.email ? ` (${viewer.email})` : ''}`];
  } catch {
    return ['unreachable', 'Server not reachable'];
  }
}

function show(state, text) {
  bar.state.dataset.state = state;
  bar.state.textContent = text;
  bar.state.title = text;
  bar.signOut.hidden = state === 'signed-out';
  bar.useToken.textContent = state === 'signed-out' ? 'Use a token' : 'Change token';
}
