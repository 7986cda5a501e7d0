import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csv } from '../../src/csv.ts';

test('cells are quoted when they must be', () => {
  assert.equal(csv([['name', 'visitors'], ['a,b', 1], ['say "no"', 2], ['two\nlines', 3]]),
    'name,visitors\r\n"a,b",1\r\n"say ""no""",2\r\n"two\nlines",3\r\n');
});

test('what a visitor sent is never a formula, and a number stays one', () => {
  assert.equal(csv([['=1+1', '+1', '-x', '@cmd', '\tx', -5]]), "'=1+1,'+1,'-x,'@cmd,'\tx,-5\r\n");
});
