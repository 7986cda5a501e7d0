// Mounts the dashboard: set-up by its link, sign-in when nobody is, else the figures.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError, identify, type Me } from './api.ts';
import { Dashboard } from './dashboard.tsx';
import { forget, observeFailures } from './data.ts';
import { setTheme, theme } from './theme.ts';
import { lazy, Problem } from './ui.tsx';

const SignIn = lazy(() => import('./account.tsx').then((part) => part.SignIn));
const SetUp = lazy(() => import('./account.tsx').then((part) => part.SetUp));

type Session = { me: Me } | { error: ApiError } | 'asking' | 'signed out' | 'ended';

function App() {
  const [session, setSession] = useState<Session>('asking');
  const isSetUp = location.pathname === '/setup';
  const ask = () => {
    setSession('asking');
    identify('/api/me').then((me) => setSession({ me }),
      (error: ApiError) => setSession(error.status === 401 ? 'signed out' : { error }));
  };
  useEffect(() => {
    if (!isSetUp) ask();
    observeFailures((error) => {
      if (error.status === 401) setSession('ended');
    });
  }, []);
  const enter = (me: Me) => {
    forget();
    if (location.pathname === '/setup') history.replaceState(null, '', '/');
    setSession({ me });
  };

  if (typeof session === 'object' && 'me' in session) {
    return <Dashboard me={session.me} onSites={(sites) => setSession({ me: { ...session.me, sites } })} onSignOut={() => { forget(); setSession('signed out'); }} />;
  }
  if (isSetUp && session === 'asking') return <SetUp onDone={enter} />;
  if (session === 'asking') return <main class="page" aria-busy="true" />;
  if (typeof session === 'object') return <main class="card"><Problem error={session.error} retry={ask} /></main>;
  return <SignIn onDone={enter} hasEnded={session === 'ended'} />;
}

setTheme(theme());
const root = document.getElementById('app');
if (root) render(<App />, root);
