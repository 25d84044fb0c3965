/**
 * What the coach says in Traditional Chinese.
 */
import { fragmentOf, type Facts, type Mood } from './coach-facts.ts';

const MOOD: Record<Mood, string> = {
  give_up: '想先放下',
  frustrated: '挫折',
  bored: '提不起勁',
  neutral: '平靜',
  good: '還不錯',
  happy: '開心',
};

const WEEKDAY = ['星期日', '星期一', '星期二', '星期三', '星期四', '星期五', '星期六'];

/** The three paragraphs. */
export function writeChinese(facts: Facts) {
  return {
    breakthrough: opening(facts) + moodChange(facts) + firstQuote(facts),
    rhythm: presence(facts) + pause(facts) + growth(facts),
    insight: secondQuote(facts) + reach(facts) + question(facts),
  };
}

function name({ title }: Facts): string {
  return title === undefined ? '這個主題實踐' : `「${title}」`;
}

function opening(facts: Facts): string {
  const { nickname, days, checkIns, vary } = facts;
  const call = nickname === undefined ? '' : `${nickname}，`;
  return vary('opening', [
    `${call}回頭看${name(facts)}這段時間，你在 ${days} 個日子裡留下了紀錄，每一則都是真的走過的路。`,
    `${call}從第一天走到現在，你為${name(facts)}累積了 ${checkIns} 則紀錄，它已經從一個念頭變成生活的一部分。`,
    `${call}${name(facts)}不再只是一個計畫，你用 ${days} 天的行動，把它變成了自己的經驗。`,
    `${call}翻開你為${name(facts)}寫下的 ${checkIns} 則紀錄，能看見一個人一點一點走出自己的路。`,
    `${call}當初決定開始${name(facts)}的你，大概沒想到這 ${days} 天會在心裡留下這麼多東西。`,
  ]);
}

function moodChange({ moodAtStart, moodAtEnd, moodTrend, vary }: Facts): string {
  if (moodAtStart === undefined || moodAtEnd === undefined) {
    return vary('mood', [
      '你很少替心情貼上標籤，變化都藏在字裡行間，靜靜地發生。',
      '你把心情交給文字，而文字也如實記得你走到了哪裡。',
    ]);
  }
  const [start, end] = [MOOD[moodAtStart], MOOD[moodAtEnd]];
  if (moodTrend === 'lighter') {
    if (start === end) return `心情看起來都是「${start}」，但愈到後面，那份輕鬆愈常出現。`;
    return vary('mood', [
      `剛開始，你的心情常是「${start}」；走到後來，更常出現的是「${end}」。這份轉變不是突然發生的，而是一次次嘗試疊出來的。`,
      `前期的紀錄裡多半是「${start}」，後來慢慢換成了「${end}」，那是你和這件事之間的關係變得更自在了。`,
      `從「${start}」到「${end}」，心情的顏色一點一點變亮，你也許沒有察覺，但紀錄都記得。`,
    ]);
  }
  if (moodTrend === 'heavier') {
    return vary('mood', [
      `後段的心情比開頭沉一些，多了幾次「${end}」。你沒有把它藏起來，而是照實寫下，這份誠實本身就是一種前進。`,
      `走到後面，「${end}」的日子多了起來，你仍然願意坐下來寫幾句，替自己留住了當下真實的樣子。`,
    ]);
  }
  if (start !== end) {
    return `心情在「${start}」和「${end}」之間來回，你沒有急著讓它定下來，而是陪著它一起走。`;
  }
  return vary('mood', [
    `從開頭到最後，你的心情大多是「${end}」，看得出你替這件事找到了舒服的位置。`,
    `一路上心情多半維持在「${end}」，改變沒有大聲嚷嚷，而是安靜地住進了日常。`,
  ]);
}

function firstQuote({ notes, vary }: Facts): string {
  const note = notes[0];
  const fragment = note && fragmentOf(note.text);
  if (note === undefined || fragment === undefined) {
    return '這些細小的累積放在一起，就是你看得見的改變。';
  }
  return vary('first', [
    `第 ${note.day} 天你寫下「${fragment}」，讀到這裡，像是看見當時的你就坐在那裡。`,
    `第 ${note.day} 天的那句「${fragment}」，比任何形容都更接近當時的你。`,
    `像第 ${note.day} 天，你寫著「${fragment}」，這是只有真的走過的人才寫得出來的句子。`,
  ]);
}

function presence(facts: Facts): string {
  const { durationDays, days, sessionMinutes, favouriteWeekday, vary } = facts;
  const minutes = sessionMinutes === undefined ? '' : `，每次給自己大約 ${sessionMinutes} 分鐘`;
  const weekday =
    favouriteWeekday === undefined
      ? vary('weekday', [
          '你沒有把自己綁在固定的某一天，而是在生活的縫隙裡找到位置。',
          '出現的日子散落在一週各處，像是配合著生活的呼吸。',
        ])
      : vary('weekday', [
          `其中${WEEKDAY[favouriteWeekday]}最常看到你，那也許是最適合你的一段時光。`,
          `你特別常在${WEEKDAY[favouriteWeekday]}出現，像是替那一天留了一張固定的椅子。`,
        ]);
  const span = vary('span', [
    `在 ${durationDays} 天的旅程裡，你有 ${days} 天留下足跡${minutes}。`,
    `這 ${durationDays} 天，你在其中的 ${days} 天來到這裡${minutes}。`,
    `你把這件事放進了 ${durationDays} 天裡的 ${days} 天${minutes}。`,
  ]);
  return span + weekday;
}

function pause({ longestPauseDays, vary }: Facts): string {
  if (longestPauseDays >= 3) {
    return vary('pause', [
      `有一次隔了 ${longestPauseDays} 天，之後你又自然地回來了；能在空白之後重新拾起，也是你節奏的一部分。`,
      `中間曾經停了 ${longestPauseDays} 天，而你沒有因此離開，回來的那一天寫得一樣認真。`,
    ]);
  }
  return vary('pause', [
    '間隔多半不長，像是替自己留了一個隨時能坐下來的角落。',
    '每次之間只隔一小段，累積就這樣悄悄連成了線。',
  ]);
}

function growth({ notesGrew, vary }: Facts): string {
  return notesGrew
    ? vary('growth', [
        '紀錄也從簡短變得細膩，看得出你愈來愈願意停下來聽聽自己的感受。',
        '愈到後面，你寫得愈多，那些字裡裝著愈來愈細的觀察。',
      ])
    : vary('growth', [
        '每一則的長短都差不多，那份平穩，正是屬於你的步調。',
        '有時寫得多，有時只有幾句，你讓每天的自己都有說話的空間。',
      ]);
}

function secondQuote({ notes, vary }: Facts): string {
  const note = notes[1] ?? notes[0];
  const fragment = note && fragmentOf(note.text);
  if (note === undefined || fragment === undefined) {
    return '最值得再想一想的，是那些你寫下時覺得理所當然的小事，它們往往透露了你真正在意什麼。';
  }
  return vary('second', [
    `最值得再想一想的，是你在第 ${note.day} 天提到的「${fragment}」。`,
    `有一句話很想請你再讀一次：「${fragment}」，那是第 ${note.day} 天的你留下來的。`,
    `第 ${note.day} 天，你輕輕帶過一句「${fragment}」，裡面藏著一個很深的線索。`,
  ]);
}

function reach(facts: Facts): string {
  const { field, tags, slogan, vary } = facts;
  if (field !== undefined) {
    return vary('reach', [
      `這個發現不只屬於${name(facts)}，或許也能帶進你在「${field}」的日常。`,
      `在「${field}」這條路上，你或許也遇過相似的時刻，兩邊的經驗可以互相照亮。`,
    ]);
  }
  if (slogan !== undefined) return `你說過「${slogan}」，這段紀錄像是替這句話加上了註腳。`;
  if (tags[0] !== undefined) return `它和你關心的「${tags[0]}」連在一起，也許還能再往下挖一層。`;
  return '這份體會不會隨著這段實踐結束，它已經是你的一部分。';
}

function question({ vary }: Facts): string {
  return vary('question', [
    '如果把這份體會帶到下一段旅程，你最想先用在哪裡？',
    '如果再遇到剛開始的自己，你會想告訴他什麼？',
    '當時是什麼讓你看見這件事的？那個條件，還能在生活的哪裡出現？',
    '下一次想起這段日子，你希望最先浮現的是哪一個畫面？',
  ]);
}
