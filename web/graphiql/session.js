// Who is asking: an access token of this tab, else the session that this browser is signed in with.
// Where the token comes from and is kept, how the session is renewed, and what the bar says of both.

const KEY = 'careergraph.token';
const UNAUTHENTICATED = 'UNAUTHENTICATED';

// No other site's page can send it, so that a session's cookies count beside it only.
const PREFLIGHT = { 'GraphQL-Require-Preflight': '1' };

const ASK_WHO = 'query WhoAmI { viewer { name email } }';

// Whether this server signs people in itself; where it does not, no browser has a session.
const CAN_SIGN_IN = document.body.dataset.canSignIn === 'true';

const bar = {
  state: document.getElementById('session'),
  signIn: document.getElementById('sign-in'),
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

/** Starts the session and calls `onChange` now and whenever another one takes its place. */
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
  bar.signOut.addEventListener('click', async () => {
    if (!hasToken()) await post('/auth/sign-out');
    save(null);
  });
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

/** `fetch` for GraphQL: when the browser's session needs to be renewed it is, once, and asks again. */
export async function fetchAsked(url, options) {
  const ask = () => fetch(url, { ...options, headers: { ...options.headers, ...PREFLIGHT } });
  const response = await ask();
  return (await isRefused(response)) && (await renew()) ? ask() : response;
}

let renewing = null;
let isOver = false;

/** Renews the browser's session; whether that worked. Whoever asks meanwhile waits for the same. */
export function renew() {
  if (!CAN_SIGN_IN || hasToken() || isOver) return Promise.resolve(false);
  renewing ??= post('/auth/refresh').then((isRenewed) => {
    renewing = null;
    isOver = !isRenewed;
    return isRenewed;
  });
  return renewing;
}

export function isUnauthenticated(errors) {
  return Array.isArray(errors) && errors.some(({ extensions }) => extensions?.code === UNAUTHENTICATED);
}

function hasToken() {
  return sessionStorage.getItem(KEY) !== null;
}

// Browsers forget an access token's cookie when the token ends, and then there is no viewer.
async function isRefused(response) {
  if (hasToken() || !response.headers.get('content-type')?.includes('json')) return false;
  const { data, errors } = await response.clone().json();
  if (data?.viewer) isOver = false;
  return data?.viewer === null || isUnauthenticated(errors);
}

async function post(path) {
  try {
    return (await fetch(path, { method: 'POST', headers: PREFLIGHT })).ok;
  } catch {
    return false;
  }
}

// A fragment never reaches a server; taking it out of the address keeps it from the history,
// from bookmarks and from whoever looks at the screen.
function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return false;
  history.replaceState(null, '', location.pathname + location.search);
  if (!mayTake(token)) return false;
  sessionStorage.setItem(KEY, token);
  return true;
}

// Anybody can make such a link with a token of theirs: whoever followed it unasked would bring a CV
// into somebody else's account. Only where nobody can be signed in yet does nothing have to be asked.
function mayTake(token) {
  const present = sessionStorage.getItem(KEY);
  if (present === token || (present === null && !CAN_SIGN_IN)) return true;
  return confirm('This link signs you in here with a token of its own. Go on only if you made it.');
}

async function showWho(url) {
  const asked = authorization();
  if (asked.Authorization) show('checking', 'Signing in…');
  else show('signed-out', 'Signed out');
  const [state, text] = await who(url, asked);
  // Another token may have been given while the answer was on its way.
  if (authorization().Authorization === asked.Authorization) show(state, text);
}

async function who(url, headers) {
  try {
    const response = await fetchAsked(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query: ASK_WHO, operationName: 'WhoAmI' }),
    });
    if (response.status >= 500) return ['unreachable', `Server error (${response.status})`];
    const viewer = (await response.json()).data?.viewer;
    if (viewer) return ['signed-in', `Signed in as ${viewer.name}${viewer.email ? ` (${viewer.email})` : ''}`];
    if (!headers.Authorization) return ['signed-out', 'Signed out'];
    return ['refused', 'Token refused: expired, or of another server'];
  } catch {
    return ['unreachable', 'Server not reachable'];
  }
}

function show(state, text) {
  bar.state.dataset.state = state;
  bar.state.textContent = text;
  bar.state.title = text;
  bar.signIn.hidden = !CAN_SIGN_IN || state !== 'signed-out';
  bar.signOut.hidden = state === 'signed-out';
  bar.useToken.textContent = hasToken() ? 'Change token' : 'Use a token';
}
