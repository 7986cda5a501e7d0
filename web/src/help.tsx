// The keyboard, explained.
import { RANGE_KEYS, rangeName } from './format.ts';
import { PRESETS } from './hours.ts';
import { Modal } from './modal.tsx';

const OTHERS: [string, string][] = [
  ['\u2190', 'Period before'], ['\u2192', 'Period after'], ['c', 'Custom range'], ['s', 'Switch site'],
  ['d', 'Dark or light'], ['?', 'This help'], ['Esc', 'Close'],
];

export function Help({ onClose }: { onClose: () => void }) {
  const keys: [string, string][] = [...PRESETS.map((preset): [string, string] => [RANGE_KEYS[preset].toUpperCase(), rangeName(preset)]), ...OTHERS];
  return (
    <Modal name="Keyboard shortcuts" class="help" onClose={onClose}>
      <dl>{keys.map(([key, what]) => <div key={key}><dt><kbd>{key.length === 1 ? key.toUpperCase() : key}</kbd></dt><dd>{what}</dd></div>)}</dl>
      <p class="hint">On the chart, arrow keys walk from point to point. In a list of tabs, arrow keys change the tab.</p>
    </Modal>
  );
}
