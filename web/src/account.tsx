// The screens around the figures: set-up, sign-in, a new site and its snippet.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError, call, identify, type Me, type Site, type Status } from './api.ts';
import { moment } from './format.ts';
import { nextHour } from './hours.ts';
import { Modal } from './modal.tsx';
import { go, linkTo } from './navigate.ts';
import { Icon, Logo, Problem } from './ui.tsx';

/** The server's rule; it has the last word. */
const PASSWORD_MIN = 10;

/** A form that sends itself, and shows a refusal at the field that the server names. */
function useForm(send: (values: Record<string, string>) => Promise<void>) {
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const values = Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, String(value)]));
    setBusy(true);
    setError(null);
    try {
      await send(values);
    } catch (failure) {
      const refusal = failure as ApiError;
      setError(refusal);
      (form.elements.namedItem(refusal.field) as HTMLElement | null)?.focus();
    }
    setBusy(false);
  };
  return { onSubmit, error, isBusy };
}

function Field(props: { name: string; label: string; error: ApiError | null; hint?: ComponentChildren; children: ComponentChildren }) {
  const wrong = props.error?.field === props.name;
  return (
    <div class={wrong ? 'field wrong' : 'field'}>
      <label for={props.name}>{props.label}</label>
      {props.children}
      {props.hint && <p class="hint" id={`${props.name}-hint`}>{props.hint}</p>}
      {wrong && <p class="error" role="alert">{props.error?.message}</p>}
    </div>
  );
}

function Card(props: { title: string; lead: ComponentChildren; children: ComponentChildren }) {
  useEffect(() => void (document.title = `${props.title} \u00b7 Tallyhouse`), [props.title]);
  return (
    <main class="card">
      <p class="brand"><Logo /> Tallyhouse</p>
      <h1>{props.title}</h1>
      <p class="lead">{props.lead}</p>
      {props.children}
    </main>
  );
}

const Refusal = ({ error, fields }: { error: ApiError | null; fields: string[] }) =>
  error && !fields.includes(error.field) ? <p class="error" role="alert">{error.message}</p> : null;

export function SignIn(props: { onDone: (me: Me) => void; hasEnded: boolean }) {
  const { onSubmit, error, isBusy } = useForm(async (values) => props.onDone(await identify('/api/login', values)));
  const lead = props.hasEnded ? 'Your session has ended. Sign in to go on where you were.' : 'The figures of your sites, closed hour by closed hour.';
  return (
    <Card title="Sign in" lead={lead}>
      <form onSubmit={onSubmit}>
        <Field name="email" label="Email" error={error}><input id="email" name="email" type="email" autocomplete="username" required autofocus /></Field>
        <Field name="password" label="Password" error={error}><input id="password" name="password" type="password" autocomplete="current-password" required /></Field>
        <Refusal error={error} fields={['email', 'password']} />
        <button class="button primary" disabled={isBusy}>{isBusy ? 'Signing in\u2026' : 'Sign in'}</button>
      </form>
      <p class="hint">First time here? Open the set-up link that Tallyhouse printed when it started.</p>
    </Card>
  );
}

export function SetUp(props: { onDone: (me: Me) => void }) {
  const token = new URLSearchParams(location.search).get('token') ?? '';
  const [invitation, setInvitation] = useState<{ valid: boolean; email: string | null } | ApiError | null>(null);
  const [password, setPassword] = useState('');
  const ask = () => void call<{ valid: boolean; email: string | null }>(`/api/setup?token=${encodeURIComponent(token)}`)
    .then(setInvitation, (error: ApiError) => setInvitation(error.status >= 400 && error.status < 500 && error.status !== 429 ? { valid: false, email: null } : error));
  useEffect(ask, []);
  const { onSubmit, error, isBusy } = useForm(async (values) => props.onDone(await identify('/api/setup', { token, ...values })));
  if (!invitation) return <main class="card" aria-busy="true" />;
  if (invitation instanceof ApiError) return <main class="card"><Problem error={invitation} retry={ask} /></main>;
  if (!invitation.valid) {
    return (
      <Card title="This link no longer works" lead="A set-up link is good for one account. It has been used, or it has expired.">
        <p>Have an account? <a href="/">Sign in</a>. Otherwise restart Tallyhouse: while there is no account, it prints a new link.</p>
      </Card>
    );
  }
  const isLong = [...password].length >= PASSWORD_MIN;
  return (
    <Card title="Set up Tallyhouse" lead="Create your account. Nothing you type leaves this server.">
      <form onSubmit={onSubmit}>
        <Field name="email" label="Email" error={error}><input id="email" name="email" type="email" autocomplete="username" required autofocus defaultValue={invitation.email ?? ''} /></Field>
        <Field name="password" label="Password" error={error} hint={
          <span class={isLong ? 'rule met' : 'rule'}><Icon name="check" /> At least {PASSWORD_MIN} characters. Any characters; a few words are fine.</span>}>
          <input id="password" name="password" type="password" autocomplete="new-password" required minLength={PASSWORD_MIN} aria-describedby="password-hint"
            onInput={(event) => setPassword(event.currentTarget.value)} />
        </Field>
        <Refusal error={error} fields={['email', 'password']} />
        <button class="button primary" disabled={isBusy}>{isBusy ? 'Creating\u2026' : 'Create account'}</button>
      </form>
    </Card>
  );
}

function zones(): string[] {
  const listed = Intl.supportedValuesOf('timeZone');
  return listed.includes('UTC') ? listed : ['UTC', ...listed];
}

function AddSite(props: { onDone: (site: Site) => void }) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { onSubmit, error, isBusy } = useForm(async ({ domain = '', timezone }) => {
    const bare = domain.trim().toLowerCase().replace(/^https?:\/\//, '').replace(/\/.*$/, '');
    props.onDone(await call<Site>('/api/sites', { domain: bare, timezone }));
  });
  return (
    <form onSubmit={onSubmit} class="add-site">
      <Field name="domain" label="Domain" error={error} hint="As in the address bar, without https://">
        <input id="domain" name="domain" placeholder="example.org" autocapitalize="none" spellcheck={false} required autofocus />
      </Field>
      <Field name="timezone" label="Time zone of its days" error={error} hint="A day's figures run from midnight to midnight in this zone.">
        <select id="timezone" name="timezone">{zones().map((zone) => <option key={zone} value={zone} selected={zone === here}>{zone.replaceAll('_', ' ')}</option>)}</select>
      </Field>
      <Refusal error={error} fields={['domain', 'timezone']} />
      <button class="button primary" disabled={isBusy}>{isBusy ? 'Adding\u2026' : 'Add site'}</button>
    </form>
  );
}

function Snippet({ site }: { site: Site }) {
  const [answer, setAnswer] = useState<{ html: string } | ApiError | null>(null);
  const [isCopied, setCopied] = useState(false);
  const ask = () => void call<{ html: string }>(`/api/sites/${site.id}/snippet`).then(setAnswer, setAnswer);
  useEffect(ask, [site.id]);
  if (answer instanceof ApiError) return <Problem error={answer} retry={ask} />;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(answer?.html ?? '');
    } catch {
      // Without https there is no clipboard; the selected text can still be copied by hand.
      const text = document.getElementById('snippet-text');
      if (text) getSelection()?.selectAllChildren(text);
      return;
    }
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div class="snippet">
      <p>Put this into the <code>&lt;head&gt;</code> of every page of <strong>{site.domain}</strong>:</p>
      <pre tabIndex={0} aria-label="Tracking snippet"><code id="snippet-text">{answer?.html ?? '\u2026'}</code></pre>
      <button type="button" class="button" onClick={copy} disabled={!answer}>{isCopied ? 'Copied' : 'Copy snippet'}</button>
      <span role="status" class="unseen">{isCopied ? 'The snippet was copied.' : ''}</span>
    </div>
  );
}

/** Until the first hour with a hit is closed. */
export function Beginning({ site, status }: { site: Site; status: Status }) {
  const close = new Date(nextHour(Date.now())).toISOString();
  if (status.last_event_at) {
    return (
      <section class="sheet beginning">
        <h2>The first hit is in</h2>
        <p class="lead">It came at {moment(status.last_event_at, status.timezone, status.today)}. The first figures appear when its hour is closed: at {moment(close, status.timezone, status.today)}, and five seconds.</p>
      </section>
    );
  }
  return (
    <section class="sheet beginning">
      <h2><span class="pulse" aria-hidden="true" /> Waiting for the first hit</h2>
      <p class="lead">Put the snippet in place and open your site. Hits are kept at once; figures appear when their hour is closed, the next at {moment(close, status.timezone, status.today)}.</p>
      <Snippet site={site} />
    </section>
  );
}

/** The site of the address is not there, or there is none at all. */
export function NoSite({ me, wanted, onAdded }: { me: Me; wanted: string; onAdded: (site: Site) => void }) {
  if (me.sites.length === 0 && !me.user.owner) {
    return <main class="card"><h1>No site yet</h1><p class="lead">No site is shared with you. Ask the owner of this server.</p></main>;
  }
  if (me.sites.length === 0) {
    return <main class="card"><h1>Add your first site</h1><p class="lead">Then put one line into its pages. It takes a minute.</p><AddSite onDone={onAdded} /></main>;
  }
  return (
    <main class="card">
      <h1>No such site</h1>
      <p class="lead">There is no site <strong>{wanted}</strong>, or it is not shared with you. Yours are:</p>
      <ul>{me.sites.map(({ domain }) => <li key={domain}><a {...linkTo({ site: domain })}>{domain}</a></li>)}</ul>
    </main>
  );
}

export function SiteDialog({ dialog, site, onAdded }: { dialog: string; site: Site | undefined; onAdded: (site: Site) => void }) {
  const onClose = () => go({ dialog: null });
  if (dialog === 'add') return <Modal name="Add a site" onClose={onClose}><AddSite onDone={onAdded} /></Modal>;
  return site ? <Modal name="Tracking snippet" onClose={onClose}><Snippet site={site} /></Modal> : null;
}
