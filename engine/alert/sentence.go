package alert

import (
	"fmt"
	"strings"
	"time"

	"mybeacon/engine/mail"
)

// Sentence says in one line what happened, by the clocks of the zone.
func Sentence(language string, a Alert, zone *time.Location) string {
	at := clock(language, a.At, zone)
	if language == mail.Russian {
		return sentenceRu(a, zone) + " · " + a.LocationName + ", " + at
	}
	return sentenceEn(a, zone) + " · " + a.LocationName + ", " + at
}

func sentenceEn(a Alert, zone *time.Location) string {
	switch a.Kind {
	case Enter:
		return fmt.Sprintf("%s entered %s", a.TagName, a.ZoneName)
	case Leave:
		return fmt.Sprintf("%s left %s", a.TagName, a.ZoneName)
	case Stay:
		return fmt.Sprintf("%s has been in %s for more than %s", a.TagName, a.ZoneName, span(mail.English, a.Bound))
	case Capacity:
		return fmt.Sprintf("%s is over its capacity: %d tags, %d allowed", a.ZoneName, a.Value, a.Bound)
	case TagLost:
		return fmt.Sprintf("%s has not been heard since %s", a.TagName, clock(mail.English, a.BeganAt, zone))
	case ReceiverSilent:
		return fmt.Sprintf("%s has been silent since %s", a.ReceiverName, clock(mail.English, a.BeganAt, zone))
	default:
		return fmt.Sprintf("the battery of %s is at %d %%", a.TagName, a.Value)
	}
}

// sentenceRu avoids verbs in the past: nobody knows the gender of a tag.
func sentenceRu(a Alert, zone *time.Location) string {
	switch a.Kind {
	case Enter:
		return fmt.Sprintf("%s: вход в зону «%s»", a.TagName, a.ZoneName)
	case Leave:
		return fmt.Sprintf("%s: выход из зоны «%s»", a.TagName, a.ZoneName)
	case Stay:
		return fmt.Sprintf("%s: в зоне «%s» дольше %s", a.TagName, a.ZoneName, span(mail.Russian, a.Bound))
	case Capacity:
		return fmt.Sprintf("Зона «%s» переполнена: меток %d при норме %d", a.ZoneName, a.Value, a.Bound)
	case TagLost:
		return fmt.Sprintf("%s: нет сигнала с %s", a.TagName, clock(mail.Russian, a.BeganAt, zone))
	case ReceiverSilent:
		return fmt.Sprintf("%s молчит с %s", a.ReceiverName, clock(mail.Russian, a.BeganAt, zone))
	default:
		return fmt.Sprintf("%s: заряд батареи %d %%", a.TagName, a.Value)
	}
}

// span writes seconds as people say them.
func span(language string, seconds int) string {
	units := map[string][3]string{mail.Russian: {"ч", "мин", "с"}}[language]
	if units[0] == "" {
		units = [3]string{"h", "min", "s"}
	}
	var parts []string
	for i, n := range []int{seconds / 3600, seconds % 3600 / 60, seconds % 60} {
		if n > 0 || i == 2 && len(parts) == 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, units[i]))
		}
	}
	return strings.Join(parts, " ")
}

func testSentence(language, rule string) string {
	if language == mail.Russian {
		return fmt.Sprintf("Проверка правила «%s»: такие письма будут приходить, когда оно сработает", rule)
	}
	return fmt.Sprintf("A test of the rule %s: mails like this come when it is met", rule)
}
