/** Reads the requested page of cards, whatever the format of the response. */
import type { FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import type { Principal } from '../http/auth.ts';
import { wordsOf, type RecommendationsQuery } from './schemas.ts';
import { readCards, type CardPage } from './cards.ts';
import type { RouteContext } from '../context.ts';

const EMPTY_PAGE: CardPage = { cards: [], nextCursor: null, source: 'popular', isCached: false };

/** Without a token the page is empty, and the header `x-auth-state` is `anonymous`. */
export async function readPage(
  context: Pick<RouteContext, 'reader' | 'readOrder'>,
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
  const page = principal === null ? EMPTY_PAGE : await readCards(context, principal.userId, wanted);
  reply.about = { cacheHit: page.isCached, limit, nextCursor: page.nextCursor };
  return page;
}
