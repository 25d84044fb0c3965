/** The page of cards that a request asks for, whatever shape the cards are answered in. */
import type { FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import type { Principal } from '../http/auth.ts';
import { wordsOf, type RecommendationsQuery } from './schemas.ts';
import { readCards, type CardPage } from './cards.ts';
import type { RouteContext } from '../context.ts';

const NOBODYS: CardPage = { cards: [], nextCursor: null, source: 'popular', isCached: false };

/** Without a token the page is empty, and the reply says so. */
export async function readPage(
  context: Pick<RouteContext, 'db' | 'cache'>,
  { principal, query }: { principal: Principal | null; query: Static<typeof RecommendationsQuery> },
  reply: FastifyReply,
  defaultLimit: number,
): Promise<CardPage> {
  reply.header('x-auth-state', principal === null ? 'anonymous' : 'user');
  const { limit = defaultLimit, cursor } = query;
  const wanted = {
    limit,
    cursor,
    tags: wordsOf(query, 'tags'),
    excludeIds: wordsOf(query, 'exclude_ids'),
  };
  const page = principal === null ? NOBODYS : await readCards(context, principal.userId, wanted);
  reply.about = { cacheHit: page.isCached, limit, nextCursor: page.nextCursor };
  return page;
}
