/** What BullMQ's worker threads run. */
import { RESULT } from '../peers/peer.ts';

export default async function handle(): Promise<typeof RESULT> {
  return RESULT;
}
