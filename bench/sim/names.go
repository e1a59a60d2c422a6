package sim

import "fmt"

var (
	womenRU = []string{"Мария", "Анна", "Елена", "Ольга", "Наталья", "Татьяна", "Ирина", "Светлана", "Юлия", "Дарья"}
	menRU   = []string{"Алексей", "Дмитрий", "Сергей", "Андрей", "Иван", "Михаил", "Павел", "Николай", "Артём", "Роман"}
	womenEN = []string{"Maria", "Anna", "Elena", "Olivia", "Nora", "Tanya", "Irene", "Sofia", "Julia", "Dora"}
	menEN   = []string{"Alex", "Daniel", "Sergei", "Andrew", "Ivan", "Michael", "Paul", "Nick", "Arthur", "Roman"}
	// Initials tell people of the same first name apart.
	initialsRU = []rune("КСПМВБГДЗЛНРТФШЕИОУЯ")
	initialsEN = []rune("KSPMVBGDZLNRTFWEIOUY")

	assetsRU   = []string{"Ноутбук", "Дрель", "Сканер", "Проектор", "Ящик", "Лестница", "Осциллограф", "Кофемашина"}
	assetsEN   = []string{"Laptop", "Drill", "Scanner", "Projector", "Crate", "Ladder", "Oscilloscope", "Coffee machine"}
	vehiclesRU = []string{"Тележка", "Погрузчик"}
	vehiclesEN = []string{"Cart", "Forklift"}
)

// TagName returns the name of the nth tag of a type - person, asset or vehicle -, in "ru"
// or "en".
func TagName(kind string, nth int, language string) string { return nameOf(kind, nth, language) }

// nameOf returns the name of the nth of its kind; names differ up to MaxTags.
func nameOf(kind string, nth int, language string) string {
	switch kind {
	case asset:
		return numbered(pick(language, assetsRU, assetsEN), nth, pick(language, "№", "#"))
	case vehicle:
		return numbered(pick(language, vehiclesRU, vehiclesEN), nth, pick(language, "№", "#"))
	}
	first := pick(language, womenRU, womenEN)
	if nth%2 == 1 {
		first = pick(language, menRU, menEN)
	}
	initials := pick(language, initialsRU, initialsEN)
	pair, round := nth/2, nth/2/len(first)
	name := fmt.Sprintf("%s %c.", first[pair%len(first)], initials[(pair+round)%len(initials)])
	if again := round / len(initials); again > 0 {
		name = fmt.Sprintf("%s %d", name, again+1)
	}
	return name
}

// The sign № is Russian; English uses #.
func numbered(names []string, nth int, sign string) string {
	return fmt.Sprintf("%s %s%d", names[nth%len(names)], sign, nth/len(names)+1)
}

func pick[T any](language string, ru, en T) T {
	if language == "ru" {
		return ru
	}
	return en
}
